"""
Join tokens of clusters, and the check that a cluster shows the certificate in the token.
"""

import re

from lxdapi.errors import APIException, EndpointError, InvalidError, LxdapiError
from lxdapi.http import endpoints, pem, tls
from lxdapi.model import diff
from lxdapi.model.kinds import KINDS
from lxdapi.trust import token_codec

# Kinds with config of a member's own: our name and the daemons' name.
_ENTITIES = {"network": "network", "storage_pool": "storage-pool"}
# Names of the fields in the operation of a token, and in the token.
_FIELDS = {
    "serverName": "server_name",
    "fingerprint": "fingerprint",
    "addresses": "addresses",
    "secret": "secret",
    "expiresAt": "expires_at",
}


def encode(api, operation):
    """Return the text of the token for its operation."""
    facts = {ours: operation["metadata"][theirs] for theirs, ours in _FIELDS.items()}
    text = token_codec.encode(facts)
    api.secret_values |= {facts["secret"], text}
    return text


def decode(api, name, token):
    """
    Return (the token without white space, its content). From now on the API masks the token and its secret in errors
    and printouts.

    Raises :class:`InvalidError` for anything else, and for the token of another server: the daemons do not check the
    name in it (all three).
    """
    if not token:
        raise InvalidError("joining a cluster requires a token: declare token")
    text, facts = token_codec.decode(token)
    texts = [facts.get(key) for key in ("server_name", "fingerprint", "secret")]
    addresses = facts.get("addresses")
    if not all(isinstance(text, str) and text for text in texts) or not isinstance(addresses, list) or not addresses:
        raise InvalidError("invalid token: paste the complete join token of the cluster")
    api.secret_values |= {facts["secret"], token, text}
    if facts["server_name"] != name:
        raise InvalidError(f"token: expected one for {name}, got one for {facts['server_name']}")
    return text, facts


def member_config(declared):
    """
    Return a member's own config in the form of the daemons' request.

    declared
        ``{"storage_pool": {"default": {"source": "/srv/pool"}}, "network": {...}}``, or None.
    """
    if declared is None:
        return []
    if not isinstance(declared, dict) or set(declared) - set(_ENTITIES) or not all(map(_is_mapping, declared.values())):
        raise InvalidError(
            f"member_config: expected a mapping of {' and '.join(_ENTITIES)} to names, and of names to config"
        )
    return [entry for kind_name, objects in declared.items() for entry in _entries(kind_name, objects)]


def _is_mapping(value):
    return isinstance(value, dict) and all(isinstance(config, dict) for config in value.values())


def _entries(kind_name, objects):
    for name, config in objects.items():
        values = diff.normalize(KINDS[kind_name], {"config": config})["config"]
        for key, value in values.items():
            yield {"entity": _ENTITIES[kind_name], "name": name, "key": key, "value": value or ""}


def connect_first(facts):
    """
    Return (address, PEM of the certificate) of the first member in a token that answers.

    Raises :class:`EndpointError` if no member answers, or if one shows another certificate than that in the token.
    """
    failures = []
    for address in facts["addresses"]:
        try:
            certificate = tls.read_certificate(endpoints.base_url(f"https://{address}"))
        except LxdapiError as exc:
            failures.append(f"{address} ({exc.error if isinstance(exc, APIException) else exc})")
            continue
        _require_cluster_certificate(address, pem.read(certificate)[0], facts["fingerprint"])
        return address, certificate
    raise EndpointError(f"no member of the cluster answers: {', '.join(failures)}")


def _require_cluster_certificate(address, actual, fingerprint):
    if actual != re.sub("[^0-9a-f]", "", fingerprint.lower()):
        reason = "but the token names another one; lxdapi sent nothing"
        raise EndpointError(f"{address} shows the certificate {actual}, {reason}")
