"""
HTTP/1.1 as far as a relay needs it: the ends of heads and bodies, both passed on byte for byte.
"""

import select
import socket

DRAIN_SECONDS = 1
BLOCK = 65536
END = b"\r\n\r\n"


class Head:
    """The first line and the headers of a request or a reply."""

    def __init__(self, raw):
        self.raw = raw
        first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
        self.words = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}

    @property
    def method(self):
        """The method of a request."""
        return self.words[0]

    @property
    def path(self):
        """The path of a request, with its query."""
        return self.words[1]

    @property
    def status(self):
        """The status of a reply."""
        return int(self.words[1])

    def closes(self, method):
        """Return whether the connection is unusable after this reply to a request with this method."""
        framed = "content-length" in self.headers or self.is_chunked or not self.has_body(method)
        return not framed or self.headers.get("connection", "").lower() == "close"

    def has_body(self, method):
        """Return whether this reply to a request with this method has a body."""
        return method != "HEAD" and self.status not in (204, 304)

    @property
    def is_chunked(self):
        """Return whether the body marks its own end."""
        return self.headers.get("transfer-encoding", "").lower() == "chunked"

    def reframed(self, length, status=None):
        """Return the bytes of this reply's head, for a body of another length and optionally another status."""
        framing = ("content-length", "transfer-encoding", "connection")
        kept = [f"{name}: {value}" for name, value in self.headers.items() if name not in framing]
        first = " ".join(self.words) if status is None else f"HTTP/1.1 {status} Changed"
        lines = [first, *kept, f"content-length: {length}", "connection: close", "\r\n"]
        return "\r\n".join(lines).encode("latin-1")


def read_head(source, leave=0):
    """
    Return the next Head, or None when the other side has closed.

    leave
        Number of bytes at the end of the head that stay unread.
    """
    raw = b""
    while True:
        ahead = source.recv(BLOCK, socket.MSG_PEEK)
        if not ahead:
            return None
        end = (raw + ahead).find(END)
        wanted = len(ahead) if end < 0 else end + len(END) - leave - len(raw)
        raw += exactly(source, wanted)
        if end >= 0:
            return Head(raw + END[len(END) - leave :])


def request_body(head, source):
    """Yield the body of a request as (bytes as sent, content) pairs."""
    if head.is_chunked:
        yield from _chunks(source)
    else:
        yield from _counted(source, int(head.headers.get("content-length", 0)))


def reply_body(head, source, method):
    """Yield the body of a reply as (bytes as sent, content) pairs; the method of the request matters for HEAD."""
    if not head.has_body(method):
        return
    if head.is_chunked:
        yield from _chunks(source)
    elif "content-length" in head.headers:
        yield from _counted(source, int(head.headers["content-length"]))
    else:
        while block := source.recv(BLOCK):
            yield block, block


def _counted(source, length):
    while length:
        block = source.recv(min(length, BLOCK))
        if not block:
            raise ConnectionError("closed in the middle of a body")
        length -= len(block)
        yield block, block


def _chunks(source):
    size = None
    while size != 0:
        line = _line(source)
        size = int(line.partition(b";")[0], 16)
        yield line, b""
        yield from _counted(source, size)
        # The line end of the chunk, or that of the empty trailer.
        yield exactly(source, 2), b""


def _line(source):
    line = b""
    while not line.endswith(b"\n"):
        line += exactly(source, 1)
    return line


def exactly(source, length):
    """Return exactly ``length`` bytes; raises ConnectionError if the other side closes before."""
    return b"".join(block for block, _ in _counted(source, length))


def await_reply(client, daemon):
    """Wait until the daemon sends data; raises ConnectionError if the client closes meanwhile."""
    watched = [client, daemon]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if daemon in ready:
            return
        if not client.recv(1, socket.MSG_PEEK):
            raise ConnectionError("the client went away")
        watched = [daemon]  # the client already sends its next request


def await_end(*opened):
    """Raise ConnectionError if the other side of a socket has closed; nothing is read."""
    watch = select.poll()
    for each in opened:
        watch.register(each, select.POLLRDHUP)
    watch.poll()
    raise ConnectionError("one side hung up")


def splice(one, other, after=None):
    """
    Pass data in both directions (a websocket, say) until one side closes.

    after
        Number of bytes from the first side after which to stop.
    """
    sources, timeout = [one, other], None
    while True:
        there = select.select(sources, [], [], timeout)[0]
        if not there:
            return
        for source in there:
            block = source.recv(BLOCK)
            if not block or after is not None and after <= 0:
                return
            try:
                (other if source is one else one).sendall(block)
            except OSError:
                if source is other:
                    return
                # it reads no further, but its earlier data must still be passed on
                sources, timeout = [other], DRAIN_SECONDS
            if after is not None and source is one:
                after -= len(block)


def shut(opened):
    """Wake every thread that waits for this socket; only its owner closes it."""
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError:  # already disconnected
        pass
