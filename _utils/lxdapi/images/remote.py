"""
Images on other servers: resolves their aliases and has the daemon fetch them.
"""

from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

from lxdapi import validation
from lxdapi.api import API
from lxdapi.errors import APIOperationException, InvalidError, LxdapiError
from lxdapi.http import pem, retry
from lxdapi.images import image, registry, servers, simplestreams
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS

KIND = KINDS["image"]
_PROTOCOLS = (servers.SIMPLESTREAMS, "incus", "lxd", servers.OCI)
KEYS = ("alias", "certificate", "fingerprint", "image_type", "mode", "protocol", "secret", "server", "type")
FETCH_SECONDS = 3600
# All three daemons.
_OLD = "; it caches the index of a simplestreams server for up to an hour: try again later"


class Found(NamedTuple):
    """An image of a server: its fingerprint, and the key and the value of a source that mean exactly this image."""

    fingerprint: str
    key: str
    value: str


def parse_source(source):
    """
    Return the checked REST source of an image on another server.

    source
        A mapping: ``server`` and ``alias`` or ``fingerprint``; ``protocol`` (``simplestreams``), ``certificate`` (PEM
        text or a path), ``image_type`` (``container``, ``virtual-machine``), ``secret`` and ``mode`` (``pull``). An OCI
        registry always needs ``alias``; its ``fingerprint`` is the one that the image must have.

    Raises :class:`InvalidError`.
    """
    validation.require_known("source", source, KEYS)
    parsed = parse_server(source)
    if parsed["type"] != "image" or parsed["mode"] != "pull":
        raise InvalidError("source: expected type: image and mode: pull, because the daemon fetches the image")
    if parsed["protocol"] == servers.OCI:
        registry.parse_alias(parsed.get("alias"))
    elif bool(parsed.get("alias")) == bool(parsed.get("fingerprint")):
        raise InvalidError("source: expected either alias or fingerprint; declare one of them")
    if "fingerprint" in parsed:
        parsed["fingerprint"] = validation.fingerprint(parsed["fingerprint"])
    return parsed


def parse_server(source):
    """Return a source with a checked server, protocol and certificate; raises :class:`InvalidError`."""
    parsed = {"type": "image", "mode": "pull", "protocol": servers.SIMPLESTREAMS, **_without_null(source)}
    if parsed["protocol"] not in _PROTOCOLS:
        raise InvalidError(f"source: unknown protocol {parsed['protocol']!r}; choose from: {', '.join(_PROTOCOLS)}")
    parsed["server"] = simplestreams.parse_url(parsed.get("server"))
    if "certificate" in parsed:
        parsed["certificate"] = pem.to_pem(parsed["certificate"])
    return parsed


def _without_null(source):
    return {key: value for key, value in source.items() if value is not None}


def pin(source, fingerprint):
    """Return a declared source as that of one image: its alias may mean another image when the daemon fetches it."""
    kept = {key: value for key, value in source.items() if key != "alias" or source.get("protocol") == servers.OCI}
    return {**kept, "fingerprint": fingerprint}


def find_newest(api, source):
    """
    Return the :class:`Found` image that a declared source (see :func:`parse_source`) means now, read from the server.

    Raises :class:`InvalidError` if the server lacks the image, one of :mod:`lxdapi.errors` if it does not answer.
    """
    if source["protocol"] == servers.OCI:
        found = registry.find(source["server"], source["alias"], _architecture(api), source.get("certificate"))
        return Found(found.fingerprint, "alias", found.alias)
    fingerprint = source.get("fingerprint") or _find_fingerprint(api, source)
    return Found(fingerprint, "fingerprint", fingerprint)


def _find_fingerprint(api, source):
    if source["protocol"] == servers.SIMPLESTREAMS:
        return _find_offered(api, source)["fingerprint"]
    pin = pem.read(source["certificate"])[0] if "certificate" in source else None
    server_api = API.factory(_with_port(source["server"]), fingerprint=pin)
    result = objects.read(server_api, KINDS["image_alias"], source["alias"])
    if result is None:
        raise InvalidError(f"{source['server']} does not offer a public image {source['alias']}; {servers.EXPECTED}")
    return validation.fingerprint(result.metadata.get("target"))


def _with_port(server):
    """Return the URL with the port that the daemon would use: that of https, not that of the API."""
    parts = urlsplit(server)
    return server if parts.port else parts._replace(netloc=f"{parts.netloc}:443").geturl()


def _find_offered(api, source):
    """Return the image that a simplestreams server offers for the alias and the daemon's architecture."""
    server = simplestreams.Server(source["server"], source.get("certificate"))
    return server.find(source["alias"], _architecture(api), source.get("image_type"))


def _architecture(api):
    """Return the architecture of the daemon, None if it does not name one."""
    return ((api.server.get("environment") or {}).get("architectures") or (None,))[0]


def resolve(api, source, name, auto_update=None):
    """
    Return the fingerprint that the image of a declared source must have.

    name
        The alias or the fingerprint on this daemon.
    auto_update
        True: accept the existing image of that name if the daemon keeps it up to date from this source.
    """
    servers.require_protocol(api, source)
    if source.get("fingerprint") or validation.is_fingerprint(name):
        return source.get("fingerprint") or name
    digest = image.read_alias_target(api, name) if auto_update is True else None
    result = objects.read(api, KIND, digest) if digest else None
    return digest if result is not None and _is_auto_updated(source, result) else find_newest(api, source).fingerprint


def _is_auto_updated(source, result):
    """Return True if the daemon itself updates the image from this source."""
    update_source = result.metadata.get("update_source") or {}
    same_source = all(update_source.get(key) == source.get(key) for key in ("alias", "server", "protocol"))
    return same_source and bool(result.metadata.get("auto_update"))


def fetch(api, source, digest, timeout=None):
    """
    Have the daemon fetch an image; returns its fingerprint, which must be this one.

    source
        See :func:`parse_source`.
    timeout
        Seconds. Default: 3600.

    If somebody else fetches it meanwhile, that counts as success.
    """
    if source["protocol"] == servers.SIMPLESTREAMS and "alias" in source and "image_type" not in source:
        # without it the daemon refuses an alias of both a container and a virtual machine
        source = {**source, "image_type": _find_offered(api, source)["type"]}
    if source["protocol"] == servers.OCI:
        source = _require_offered(api, source, digest)

    def digest_if_present():
        return digest if objects.read(api, KIND, digest) is not None else None

    try:
        return retry.write_verified(api, partial(_fetch, api, source, digest, timeout), digest_if_present)
    except APIOperationException as exc:
        if digest_if_present():
            return digest
        # Incus 6.0.4 reports "Alias already exists" for an image that it has
        raise LxdapiError(f"{exc.explain()}{_hint(source)}") from exc


def _hint(source):
    return _OLD if source["protocol"] == servers.SIMPLESTREAMS else ""


def _require_offered(api, source, digest):
    """Return the source without a fingerprint; raises :class:`InvalidError` if the registry offers another image."""
    offered = find_newest(api, source).fingerprint
    if offered != digest:
        raise InvalidError(f"expected the image {digest}, {source['server']} offers {offered} as {source['alias']}")
    return {key: value for key, value in source.items() if key != "fingerprint"}


def _fetch(api, source, digest, timeout):
    operation = api.post("images", json={"source": source}).wait(FETCH_SECONDS if timeout is None else timeout)
    fetched = ((operation.metadata or {}).get("metadata") or {}).get("fingerprint")
    if fetched != digest:
        raise LxdapiError(
            f"expected the image {digest} for {source.get('alias')}, the daemon fetched {fetched}{_hint(source)}"
        )
    return digest
