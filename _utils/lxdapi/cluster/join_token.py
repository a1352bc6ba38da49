"""
The token with which a server joins a cluster, and the certificate that the cluster has to show for it.
"""

import base64
import hashlib
import json
import re
import socket
import ssl
from urllib.parse import urlsplit

from lxdapi.errors import EndpointError, InvalidError
from lxdapi.http import deadline_socket as deadline
from lxdapi.http import endpoints
from lxdapi.model import diff
from lxdapi.model.kinds import KINDS

# What a member has of its own, by the words of the kinds and by those of the daemons.
_ENTITIES = {"network": "network", "storage_pool": "storage-pool"}
# As it stands in the operation that a token is, and in the token.
_FIELDS = {
    "serverName": "server_name",
    "fingerprint": "fingerprint",
    "addresses": "addresses",
    "secret": "secret",
    "expiresAt": "expires_at",
}


def encoded(api, operation):
    """Return the token, one word, of the operation that it is for the daemon."""
    found = {ours: operation["metadata"][theirs] for theirs, ours in _FIELDS.items()}
    text = base64.b64encode(json.dumps(found).encode("utf-8")).decode("ascii")
    api.hidden |= {found["secret"], text}
    return text


def decoded(api, name, token):
    """
    Return what a token says; from now on no error and no printout of the API holds it or its secret.

    Raises :class:`InvalidError` for what is none, and for that of another server: the daemons do not look at the
    name in it (all three).
    """
    if not token:
        raise InvalidError("token: needed to join a cluster")
    found = _json(token)
    texts = [found.get(key) for key in ("server_name", "fingerprint", "secret")]
    addresses = found.get("addresses")
    if not all(isinstance(text, str) and text for text in texts) or not isinstance(addresses, list) or not addresses:
        raise InvalidError("token: this is no join token of a cluster")
    api.hidden |= {found["secret"], token}
    if found["server_name"] != name:
        raise InvalidError(f"token: it is for a server called {found['server_name']}")
    return found


def _json(token):
    try:
        found = json.loads(base64.b64decode(token, validate=True))
    except (TypeError, ValueError):
        found = None
    return found if isinstance(found, dict) else {}


def member_config(given):
    """
    Return what a member has of its own, as the daemons want it.

    given
        ``{"storage_pool": {"default": {"source": "/srv/pool"}}, "network": {...}}``, None for nothing.
    """
    if given is None:
        return []
    if not isinstance(given, dict) or set(given) - set(_ENTITIES) or not all(map(_is_mapping, given.values())):
        raise InvalidError(f"member_config: a mapping of {' and '.join(_ENTITIES)} to names and config is needed")
    return [entry for kind_name, objects in given.items() for entry in _entries(kind_name, objects)]


def _is_mapping(given):
    return isinstance(given, dict) and all(isinstance(config, dict) for config in given.values())


def _entries(kind_name, objects):
    for name, config in objects.items():
        values = diff.normal(KINDS[kind_name], {"config": config})["config"]
        for key, value in values.items():
            yield {"entity": _ENTITIES[kind_name], "name": name, "key": key, "value": value or ""}


def reached(found):
    """
    Return (address, PEM of the certificate) of the first member in a token that answers.

    Raises :class:`EndpointError` if none does, or if one shows another certificate than the token tells.
    """
    failures = []
    for address in found["addresses"]:
        try:
            der = _shown(address)
        except (OSError, ValueError) as exc:
            failures.append(f"{address} ({exc})")
            continue
        _refuse_stranger(address, der, found["fingerprint"])
        return address, ssl.DER_cert_to_PEM_cert(der)
    raise EndpointError(f"no member of the cluster answers: {', '.join(failures)}")


def _refuse_stranger(address, der, fingerprint):
    shown = hashlib.sha256(der).hexdigest()
    if shown != re.sub("[^0-9a-f]", "", fingerprint.lower()):
        words = "not that of the cluster, which the token tells; nothing was sent to it"
        raise EndpointError(f"{address} shows the certificate {shown}, {words}")


def _shown(address):
    """Return the DER form of the certificate that is shown at an address; nothing but a handshake is sent."""
    parts = urlsplit(f"//{address}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.sslsocket_class = deadline.TLSSocket
    where = (parts.hostname, parts.port or endpoints.DEFAULT_PORT)
    with socket.create_connection(where, timeout=endpoints.CONNECT_SECONDS) as plain:
        with context.wrap_socket(plain) as wrapped:
            return wrapped.getpeercert(binary_form=True)
