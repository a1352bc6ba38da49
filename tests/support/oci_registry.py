"""
An OCI registry on loopback, over HTTPS with its own certificate, with images of busybox.

It offers what a pull needs of the distribution specification, as files below /v2.
"""

import gzip
import hashlib
import io
import json
import shutil
from pathlib import Path

from tests.support.image_server import FileServer, Handler
from tests.support.images import busybox_layer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
TOKEN = "t0ken"


class _Registry(Handler):
    def send_head(self):
        """Answer as a registry: with the media type of a manifest, a 404 in JSON, and a demand for a token."""
        path = Path(self.translate_path(self.path))
        if self.server.requires_token and self.headers.get("Authorization") not in (None, f"Bearer {TOKEN}"):
            return self._answer(403, [])
        if self.server.requires_token and self.path.startswith("/v2") and "Authorization" not in self.headers:
            realm = f"https://{self.headers['Host']}/token"
            return self._answer(401, [], ("WWW-Authenticate", f'Bearer realm="{realm}",service="s"'))
        if path.is_file() and path.parent.name == "manifests":
            return self._answer(200, path.read_bytes(), ("Content-Type", _media_type(path.read_bytes())))
        if not path.exists():
            return self._answer(404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]})
        return super().send_head()

    def _answer(self, status, content, *headers):
        """Send the head and return the open body."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for each in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(*each)
        self.end_headers()
        return io.BytesIO(body)


def _media_type(manifest):
    """Return the media type that a manifest names, that of any JSON if it is invalid."""
    try:
        return json.loads(manifest)["mediaType"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return "application/json"


class OciRegistry(FileServer):
    """
    The registry: ``url``, ``address``, and ``certificate``, see :class:`tests.support.image_server.FileServer`.
    """

    handler = _Registry

    def __init__(self, folder):
        super().__init__(folder)
        self.require_token(False)
        self.write("token", {"token": TOKEN})

    def require_token(self, required=True):
        """Require the token that /token hands out, as public registries do."""
        self._server.requires_token = required

    def trust(self, daemon):
        """Make a daemon trust the certificate: skopeo, which it runs, reads this folder in its home."""
        folder = Path(daemon.directory, ".config/containers/certs.d", self.address)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.certificate, folder / "server.crt")

    def add(self, repository, tag, serial="", **config):
        """
        Offer an image of busybox and return the fingerprint that the daemon gives it.

        serial
            Makes the fingerprint another one.
        config
            The configuration of the image: ``Entrypoint``, ``Env`` and others.
        """
        manifest, layers = self.manifest(repository, serial=serial, **config)
        self._tag(repository, tag, manifest)
        return fingerprint(layers)

    def add_index(self, repository, tag, manifests):
        """Offer the images of several platforms under one tag: [(platform, manifest)]."""
        entries = [
            {**self._blob(repository, "manifests", manifest, MANIFEST), "platform": platform}
            for platform, manifest in manifests
        ]
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        self._tag(repository, tag, index)

    def _tag(self, repository, tag, manifest):
        self._blob(repository, "manifests", manifest, manifest["mediaType"])
        self.write(f"v2/{repository}/manifests/{tag}", manifest)

    def manifest(self, repository, architecture="amd64", serial="", **config):
        """Store the layers of an image and return (its manifest, the digests of the layers)."""
        layers = [busybox_layer(), busybox_layer({"etc/serial": f"{serial} {architecture}\n"})]
        blobs = [self._blob(repository, "blobs", gzip.compress(each, mtime=0), LAYER) for each in layers]
        digests = [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in layers]
        settings = {
            "architecture": architecture,
            "os": "linux",
            "created": "2024-01-01T00:00:00Z",
            "config": {"Entrypoint": ["/bin/sleep", "100000"], **config},
            "rootfs": {"type": "layers", "diff_ids": digests},
        }
        blob = self._blob(repository, "blobs", settings, CONFIG)
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob, "layers": blobs}
        return manifest, [each["digest"] for each in blobs]

    def _blob(self, repository, folder, content, media_type):
        """Store a blob and return its descriptor."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.write(f"v2/{repository}/{folder}/{digest}", data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}


def fingerprint(layers):
    """Return the fingerprint that Incus gives an image of these layers."""
    return hashlib.sha256("".join(layers).encode()).hexdigest()
