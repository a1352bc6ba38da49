"""
An OpenID Connect provider on loopback: it publishes its key and signs access tokens with it.
"""

import base64
import http.server
import json
import threading
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_ID = "key-1"
USER = {"sub": "jane", "email": "jane@example.com"}
ENDPOINTS = {
    "authorization_endpoint": "auth",
    "token_endpoint": "token",
    "userinfo_endpoint": "userinfo",
    "device_authorization_endpoint": "device",
    "jwks_uri": "keys",
}
SUPPORTED = {
    "response_types_supported": ["code"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
}


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = self.server.pages.get(self.path)
        body = json.dumps(page or {}).encode()
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, _format, *args):
        """Print nothing."""


class OidcIssuer:
    """The provider; ``url`` is its address and its name as the issuer."""

    def __init__(self):
        self._key = rsa.generate_private_key(65537, 2048)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        endpoints = {name: f"{self.url}/{path}" for name, path in ENDPOINTS.items()}
        self._server.pages = {
            "/.well-known/openid-configuration": {"issuer": self.url, **endpoints, **SUPPORTED},
            "/keys": {"keys": [self._public_key()]},
            "/userinfo": USER,
        }
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        """Stop the provider."""
        self._server.shutdown()
        self._server.server_close()

    def token(self, audience):
        """Return an access token of the user for an audience, valid for an hour."""
        now = int(time.time())
        times = {"iat": now, "auth_time": now, "exp": now + 3600}
        claims = {"iss": self.url, "aud": [audience], "client_id": audience, "jti": "1", **USER, **times}
        signed = f"{_packed({'alg': 'RS256', 'kid': KEY_ID, 'typ': 'JWT'})}.{_packed(claims)}"
        return f"{signed}.{_encoded(self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def _public_key(self):
        numbers = self._key.public_key().public_numbers()
        exponents = {"n": _number(numbers.n), "e": _number(numbers.e)}
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": KEY_ID, **exponents}


def _encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _packed(content):
    return _encoded(json.dumps(content).encode())


def _number(value):
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))
