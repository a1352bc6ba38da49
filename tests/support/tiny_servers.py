"""
Tiny real servers for the tests of the transport: on a unix socket and over TLS on loopback.
"""

import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from ipaddress import ip_address
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BODY = b'{"type":"sync","metadata":{"auth":"trusted"}}'
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Server:
    """
    Accept connections and answer each request on them.

    answer
        Called with the connection for each request; sends the reply.
    tls
        The TLS context for connections.

    ``accepted`` counts connections; ``heads`` contains the heads of requests; ``peer`` is the client certificate.
    """

    def __init__(self, listener, answer=None, tls=None):
        self.listener = listener
        self.accepted, self.heads, self.peer = 0, [], None
        self._answer = answer or (lambda connection: connection.sendall(GOOD))
        self._tls = tls
        self._open = None

    def serve(self):
        """Serve one connection after the other until the listener is closed."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            with connection:
                self._speak(connection)

    def close(self):
        """Close the listener and the connection that is open."""
        for each in (self.listener, self._open):
            with suppress(OSError, AttributeError):
                each.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _speak(self, connection):
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self.peer = connection.getpeercert(binary_form=True)
            self._open = connection
            with connection:
                while head := _head(connection):
                    self.heads.append(head)
                    self._answer(connection)
        except OSError:  # the client rejected the certificate or closed the connection
            return


def _head(connection):
    """Return a request without a body, or the part that arrived before the end of the connection."""
    read = b""
    while b"\r\n\r\n" not in read:
        block = connection.recv(65536)
        if not block:
            break
        read += block
    return read


@contextmanager
def running(server):
    """Run the server in a thread."""
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)


def unix_listener(path):
    """Return a listening unix socket."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    return listener


def dribble(connection, part=1):
    """Answer at once, but send the head (0) or the body (1) byte by byte for more than a second."""
    head, end, body = GOOD.partition(b"\r\n\r\n")
    slow, rest = (head, b"") if part == 0 else (body, head + end)
    connection.sendall(rest)
    for byte in slow[:30]:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)
    connection.sendall(slow[30:] + (b"" if part else end + body))


def garbage(connection):
    """Answer outside of TLS, as a broken middlebox would: the client's TLS fails after the request has arrived."""
    with socket.socket(fileno=connection.detach()) as bare:
        bare.sendall(b"HTTP/1.1 400 this is no TLS record at all\r\n\r\n")


class Pair(NamedTuple):
    """A certificate and its key, as PEM and as files."""

    cert: str
    key: str
    cert_file: str
    key_file: str

    @property
    def fingerprint(self):
        """Return the sha256 of the certificate."""
        return sha256(ssl.PEM_cert_to_DER_cert(self.cert)).hexdigest()


def make_pair(folder, name, address="127.0.0.1", password=None, days=(-1, 1)):
    """
    Return a self-signed certificate for an address (an IP address or a host name), written to the folder; days: its
    validity, relative to now.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.SubjectAlternativeName([_san(address)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    kind = serialization
    lock = kind.BestAvailableEncryption(password.encode()) if password else kind.NoEncryption()
    texts = (
        made.public_bytes(kind.Encoding.PEM).decode(),
        key.private_bytes(kind.Encoding.PEM, kind.PrivateFormat.PKCS8, lock).decode(),
    )
    files = [folder / f"{name}.crt", folder / f"{name}.key"]
    for file, text in zip(files, texts):
        file.write_text(text)
    files[1].chmod(0o600)
    return Pair(*texts, *map(str, files))


def _san(address):
    try:
        return x509.IPAddress(ip_address(address))
    except ValueError:
        return x509.DNSName(address)


@contextmanager
def tls_server(pair, client=None, answer=None, version=ssl.TLSVersion.TLSv1_3):
    """A TLS server on loopback, with its URL as ``url``; client: the Pair that it requires from clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(pair.cert_file, pair.key_file)
    if client:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(client.cert_file)
    listener = socket.create_server(("127.0.0.1", 0))
    with running(Server(listener, answer, context)) as server:
        server.url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        yield server
