"""
Facts about files inside an instance: the behavior of SFTP, checked with hand-written packets.
"""

import socket
import struct

OPEN, CLOSE, READ, WRITE, LSTAT, SETSTAT, MKDIR, READLINK, SYMLINK = 3, 4, 5, 6, 7, 9, 14, 19, 20
HANDLE, ATTRIBUTES = 102, 105


class Sftp:
    """An SFTP session with c1."""

    def __init__(self, asked):
        asked.instance()
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.settimeout(60)
        self._sock.connect(asked.daemon.socket)
        head = b"GET /1.0/instances/c1/sftp HTTP/1.1\r\nHost: x\r\nUpgrade: sftp\r\nConnection: Upgrade\r\n\r\n"
        self._sock.sendall(head)
        self._file = self._sock.makefile("rb")
        while self._file.readline() != b"\r\n":
            pass
        self._sock.sendall(struct.pack(">IBI", 5, 1, 3))
        self.extensions = self._packet()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
        self._sock.close()

    def _packet(self):
        return self._file.read(struct.unpack(">I", self._file.read(4))[0])

    def ask(self, number, *texts, more=b""):
        """Return the reply to a packet of strings and optional further bytes."""
        body = b"".join(struct.pack(">I", len(text)) + text for text in texts) + more
        self._sock.sendall(struct.pack(">IBI", len(body) + 5, number, 1) + body)
        return self._packet()

    def opened(self, path, flags):
        """Return the handle of a file."""
        reply = self.ask(OPEN, path, more=struct.pack(">III", flags, 4, 0o600))
        assert reply[0] == HANDLE, reply
        return reply[9:]

    def mode(self, path):
        """Return the mode as octal digits."""
        reply = self.ask(LSTAT, path)
        assert reply[0] == ATTRIBUTES, reply
        return f"{struct.unpack_from('>I', reply, 25)[0] & 0o7777:o}"


def setuid_over_sftp(asked):
    with Sftp(asked) as sftp:
        sftp.opened(b"/root/f", 0x0A)
        sftp.ask(SETSTAT, b"/root/f", more=struct.pack(">II", 4, 0o4750))
        return sftp.mode(b"/root/f")


def mode_of_an_open(asked):
    with Sftp(asked) as sftp:
        sftp.opened(b"/root/f", 0x0A)
        return sftp.mode(b"/root/f")


def longest_read_over_sftp(asked):
    with Sftp(asked) as sftp:
        handle = sftp.opened(b"/bin/busybox", 1)
        reply = sftp.ask(READ, handle, more=struct.pack(">QI", 0, 1024 * 1024))
        return struct.unpack_from(">I", reply, 5)[0]


def mode_of_a_mkdir(asked):
    with Sftp(asked) as sftp:
        sftp.ask(MKDIR, b"/root/d", more=struct.pack(">II", 4, 0o700))
        return sftp.mode(b"/root/d")


def symlink_takes_the_target_first(asked):
    with Sftp(asked) as sftp:
        sftp.ask(SYMLINK, b"target", b"/root/link")
        reply = sftp.ask(READLINK, b"/root/link")
        return b"target" in reply, b"posix-rename@openssh.com" in sftp.extensions


# question: the answers of LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2
DIFFERS = {
    setuid_over_sftp: ("750", "750", "4750"),
    mode_of_an_open: ("644", "644", "600"),
    longest_read_over_sftp: (32 * 1024, 32 * 1024, 128 * 1024),
}
# question: the answer of all daemons
ALIKE = {
    mode_of_a_mkdir: "755",
    symlink_takes_the_target_first: (True, True),
}
