"""
Servers of images on loopback: a folder of files over HTTPS with its own certificate, and a simplestreams index in it.
"""

import functools
import hashlib
import http.server
import json
import ssl
import threading
from pathlib import Path

from tests.support.images import split_image
from tests.support.tiny_servers import make_pair

PRODUCT = "box:1:amd64:default"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the files, and records the path of each request."""

    def log_message(self, _format, *args):
        """Record the request instead of printing it."""
        self.server.asked.append(args[0].split()[1] if " " in str(args[0]) else str(args[0]))


class FileServer:
    """
    The server: a folder of files behind HTTPS.

    ``url``; ``certificate``: the path of its certificate; ``asked``: the paths of all requests.
    """

    handler = Handler

    def __init__(self, folder):
        self.folder, self.asked = Path(folder, "web"), []
        self.folder.mkdir(parents=True)
        pair = make_pair(Path(folder), "server")
        self.certificate = Path(pair.cert_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.cert_file, pair.key_file)
        handler = functools.partial(self.handler, directory=str(self.folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.asked = self.asked
        self.address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"https://{self.address}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()

    def write(self, path, content):
        """Write a file: bytes, or data as JSON."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


class ImageServer(FileServer):
    """A simplestreams server: an index of the images that were added."""

    def __init__(self, folder):
        super().__init__(folder)
        self.versions = {}

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
        self.write(
            "streams/v1/index.json", {"format": "index:1.0", "index": {"images": {**entry, "products": [PRODUCT]}}}
        )
        content = {"format": "products:1.0", "content_id": "images", "products": products}
        self.write("streams/v1/images.json", content)
