"""
A web server on loopback that names an image in the headers of its replies, as the daemons look for one.
"""

import functools
import hashlib
import http.server
import shutil
import threading
from pathlib import Path


class ImageHeaders:
    """
    The server of one image file.

    ``url``: the URL whose headers name the image, for both daemons.
    """

    def __init__(self, folder, image):
        path = Path(shutil.copy(image, Path(folder) / "headers.tar.gz"))
        handler = functools.partial(_Handler, directory=str(folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        base = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{base}/box"
        values = {"URL": f"{base}/{path.name}", "Hash": hashlib.sha256(path.read_bytes()).hexdigest()}
        self._server.named = {f"{each}-Image-{key}": values[key] for each in ("LXD", "Incus") for key in values}
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(http.server.SimpleHTTPRequestHandler):
    def do_HEAD(self):
        """Answer with the headers that name the image."""
        self.send_response(200)
        for header in self.server.named.items():
            self.send_header(*header)
        self.end_headers()

    def log_message(self, _format, *args):
        """Log nothing."""
