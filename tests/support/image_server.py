"""
A simplestreams image server on loopback, over HTTPS with its own certificate.
"""

import datetime
import functools
import hashlib
import http.server
import ipaddress
import json
import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.images import split_image

PRODUCT = "box:1:amd64:default"


class ImageServer:
    """
    The server: a folder of files behind HTTPS, and an index of the images that were added.

    ``url``; ``certificate``: the path of its certificate; ``asked``: the paths of all requests.
    """

    def __init__(self, folder):
        self.folder, self.asked, self.versions = Path(folder, "web"), [], {}
        (self.folder / "streams" / "v1").mkdir(parents=True)
        self.certificate = Path(folder, "server.crt")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, _certificate(self.certificate))
        handler = functools.partial(_Handler, directory=str(self.folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.asked = self.asked
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()

    def add(self, version, aliases="box/1,box"):
        """Offer a split image as this version and return its fingerprint."""
        place = self.folder / version
        place.mkdir()
        paths = split_image(place, serial=version)
        content = [path.read_bytes() for path in paths]
        digest = hashlib.sha256(b"".join(content)).hexdigest()
        size = [{"path": f"{version}/{path.name}", "size": path.stat().st_size} for path in paths]
        sums = [hashlib.sha256(each).hexdigest() for each in content]
        items = {"root.squashfs": {"ftype": "squashfs", "sha256": sums[1], **size[1]}}
        for name in ("lxd.tar.xz", "incus.tar.xz"):
            items[name] = {"ftype": name, "sha256": sums[0], "combined_squashfs_sha256": digest, **size[0]}
        self.versions[version] = {"items": items}
        self.publish(aliases)
        return digest

    def publish(self, aliases="box/1,box"):
        """Write the index of the images that were added."""
        facts = {"arch": "amd64", "os": "Box", "release": "1", "release_title": "1", "aliases": aliases}
        products = {PRODUCT: {**facts, "versions": self.versions}}
        entry = {"datatype": "image-downloads", "path": "streams/v1/images.json", "format": "products:1.0"}
        self.write("index.json", {"format": "index:1.0", "index": {"images": {**entry, "products": [PRODUCT]}}})
        self.write("images.json", {"format": "products:1.0", "content_id": "images", "products": products})

    def write(self, name, content):
        """Write a file of the index: bytes, or data as JSON."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        (self.folder / "streams" / "v1" / name).write_bytes(data)


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, _format, *args):
        self.server.asked.append(args[0].split()[1] if " " in str(args[0]) else str(args[0]))


def _certificate(path):
    """Write a new certificate for loopback to this path and return the path of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "images")])
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    building = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    building = (
        building.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
    )
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = building.add_extension(address, critical=False).sign(key, hashes.SHA256())
    kinds = serialization
    path.write_bytes(made.public_bytes(kinds.Encoding.PEM))
    private = path.with_suffix(".key")
    private.write_bytes(key.private_bytes(kinds.Encoding.PEM, kinds.PrivateFormat.PKCS8, kinds.NoEncryption()))
    return private
