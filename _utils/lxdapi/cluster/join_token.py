"""
The token with which a server joins a cluster, and the certificate that the cluster has to show for it.
"""

import re

from lxdapi.errors import APIException, EndpointError, InvalidError, LxdapiError
from lxdapi.http import endpoints, pem, tls
from lxdapi.model import diff
from lxdapi.model.kinds import KINDS
from lxdapi.trust import token_codec

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


def encode(api, operation):
    """Return the token, one word, of the operation that it is for the daemon."""
    found = {ours: operation["metadata"][theirs] for theirs, ours in _FIELDS.items()}
    text = token_codec.encode(found)
    api.secret_values |= {found["secret"], text}
    return text


def decode(api, name, token):
    """
    Return (the token without white space, what it holds); from now on no error and no printout of the API holds it or
    its secret.

    Raises :class:`InvalidError` for what is none, and for that of another server: the daemons do not look at the
    name in it (all three).
    """
    if not token:
        raise InvalidError("token: needed to join a cluster")
    text, found = token_codec.decode(token)
    texts = [found.get(key) for key in ("server_name", "fingerprint", "secret")]
    addresses = found.get("addresses")
    if not all(isinstance(text, str) and text for text in texts) or not isinstance(addresses, list) or not addresses:
        raise InvalidError("token: this is no join token of a cluster")
    api.secret_values |= {found["secret"], token, text}
    if found["server_name"] != name:
        raise InvalidError(f"token: it is for a server called {found['server_name']}")
    return text, found


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
        values = diff.normalize(KINDS[kind_name], {"config": config})["config"]
        for key, value in values.items():
            yield {"entity": _ENTITIES[kind_name], "name": name, "key": key, "value": value or ""}


def connect_first(found):
    """
    Return (address, PEM of the certificate) of the first member in a token that answers.

    Raises :class:`EndpointError` if none does, or if one shows another certificate than the token tells.
    """
    failures = []
    for address in found["addresses"]:
        try:
            certificate = tls.read_certificate(endpoints.base_url(f"https://{address}"))
        except LxdapiError as exc:
            failures.append(f"{address} ({exc.error if isinstance(exc, APIException) else exc})")
            continue
        _require_own(address, pem.read(certificate)[0], found["fingerprint"])
        return address, certificate
    raise EndpointError(f"no member of the cluster answers: {', '.join(failures)}")


def _require_own(address, shown, fingerprint):
    if shown != re.sub("[^0-9a-f]", "", fingerprint.lower()):
        words = "not that of the cluster, which the token tells; nothing was sent to it"
        raise EndpointError(f"{address} shows the certificate {shown}, {words}")
