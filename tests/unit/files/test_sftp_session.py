"""
SFTP with a fake server: replies in any order, errors, nonsense, silence.
"""

import socket
import struct
import threading

import pytest
from lxdapi.errors import APIConnectionException, APIException, APIProtocolException, APITimeoutException, InvalidError
from lxdapi.files import content as sources
from lxdapi.files import sftp_files, sftp_protocol, sftp_session

HELLO = struct.pack(">BI", 2, 3) + b"".join(
    struct.pack(">I", len(each)) + each for each in (b"posix-rename@openssh.com", b"1")
)


def packet(content):
    return struct.pack(">I", len(content)) + content


def status(number, code, words=b""):
    return packet(struct.pack(">BIII", 101, number, code, len(words)) + words)


def data(number, content):
    return packet(struct.pack(">BII", 103, number, len(content)) + content)


class Server(threading.Thread):
    """Answer each packet with the bytes of ``answer(kind, number, body)``; None closes the connection."""

    def __init__(self, answer, hello=HELLO):
        super().__init__(daemon=True)
        self.ours, self._theirs = socket.socketpair()
        self._answer, self._hello = answer, hello
        self.start()

    def run(self):
        with self._theirs, self._theirs.makefile("rb") as file:
            file.read(9)
            self._theirs.sendall(packet(self._hello))
            while head := file.read(4):
                body = file.read(struct.unpack(">I", head)[0])
                reply = self._answer(body[0], struct.unpack_from(">I", body, 1)[0], body[5:])
                if reply is None:
                    return
                self._theirs.sendall(reply)


def session(answer, seconds=5, **options):
    return sftp_session.Session(Server(answer, **options).ours, "http+unix://x/1.0/instances/c1/sftp", seconds)


def test_replies_may_come_in_another_order():
    kept = []

    def answer(_, number, body):
        kept.append(data(number, body[-1:]))
        return b"".join(reversed(kept)) if len(kept) == 3 else b""

    def job():
        return (yield [sftp_protocol.read(b"h", 0, count) for count in (1, 2, 3)])

    assert session(answer).run(job()) == [b"\1", b"\2", b"\3"]


def test_failure_stops_new_jobs_and_running_ones_finish():
    started, ended = [], []

    def answer(_, number, body):
        return status(number, 4, b"made up") if body.endswith(b"2") else status(number, 0)

    def job(number):
        started.append(number)
        yield [sftp_protocol.remove(str(number))]
        yield [sftp_protocol.remove("x")]
        ended.append(number)

    with pytest.raises(sftp_protocol.SftpError, match=r"2: made up"):
        list(session(answer).run_concurrently((job(number) for number in range(9)), at_once=3))
    assert (started, sorted(ended)) == ([0, 1, 2], [0, 1])


def test_refusal_names_path_call_and_position():
    with pytest.raises(sftp_protocol.SftpError) as caught:
        session(lambda _, number, body: status(number, 2)).ask(sftp_protocol.lstat("/a\udcff"))
    assert caught.value.missing and caught.value.call == "lstat"
    assert caught.value.explain() == "/a\\xff: no such file or directory (SFTP lstat /1.0/instances/c1/sftp)"


@pytest.mark.parametrize(
    "reply, kind",
    [
        (None, APIConnectionException),
        (b"", APITimeoutException),
        (b"\0\0", APITimeoutException),
        (struct.pack(">I", 0), APIProtocolException),
        (b"HTTP/1.1 200 OK", APIProtocolException),
        (packet(b"\x65\0\0"), APIProtocolException),
        (packet(struct.pack(">BI", 101, 1)), APIProtocolException),
        (packet(struct.pack(">BI", 99, 1)), APIProtocolException),
        (packet(struct.pack(">BII", 103, 1, 99)), APIProtocolException),
        (packet(struct.pack(">BII", 104, 1, 7)), APIProtocolException),
    ],
)
def test_invalid_reply_is_an_error(reply, kind):
    with pytest.raises(kind):
        session(lambda *_: reply, seconds=0.3).ask(sftp_protocol.lstat("/a"))


@pytest.mark.parametrize("hello", [struct.pack(">BI", 2, 2), struct.pack(">BI", 2, 3), b"x", b"\2"])
def test_server_without_atomic_rename_is_refused(hello):
    with pytest.raises(APIProtocolException):
        session(lambda *_: b"", hello=hello)


def test_short_replies_are_joined_in_order():
    content = bytes(range(256)) * 700  # not a multiple of a block

    def answer(number_of, number, body):
        if number_of != 5:
            return packet(struct.pack(">BII", 102, number, 1) + b"h") if number_of == 3 else status(number, 0)
        offset, count = struct.unpack(">QI", body[-12:])
        block = content[offset : offset + min(count, 30000)]
        return data(number, block) if block else status(number, 1)

    for size in (0, 5, len(content), 10 * len(content)):
        found = []
        assert session(answer).run(sftp_files.read_blocks("/x", found.append, size)) == len(content)
        assert b"".join(found) == content


def test_incomplete_put_is_a_failure():
    asked = []

    def answer(number_of, number, body):
        asked.append(number_of)
        if number_of == 3:
            return packet(struct.pack(">BII", 102, number, 1) + b"h")
        if number_of == 7:
            return packet(struct.pack(">BIIQIII", 105, number, 7, 1, 0, 0, 0o100644))
        return status(number, 0)

    with pytest.raises(InvalidError, match="received 1 of 3 bytes"):
        session(answer).run(sftp_files.write("/x", sources.Content(b"abc"), sftp_files.NEW))
    assert 200 not in asked and asked[-1] == 13, "not renamed, but removed"


@pytest.mark.parametrize("names", [["a/b"], [""], ["a\0"]])
def test_impossible_file_name_is_refused(names):
    def answer(number_of, number, body):
        if number_of == 11:
            return packet(struct.pack(">BII", 102, number, 1) + b"h")
        if number_of == 12 and answer.left:
            (name,) = answer.left
            answer.left = None
            entry = struct.pack(">I", len(name)) + name.encode() + struct.pack(">III", 0, 4, 0o100644)
            return packet(struct.pack(">BII", 104, number, 1) + entry)
        return status(number, 1 if number_of == 12 else 0)

    answer.left = names
    with pytest.raises(InvalidError, match="not a valid name of a file"):
        session(answer).run(sftp_files.list_directory("/x"))


def test_errors_share_one_base_class():
    assert issubclass(sftp_protocol.SftpError, APIException) and issubclass(
        sftp_protocol.UnreachableError, InvalidError
    )
