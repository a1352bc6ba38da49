"""
Images on other servers: resolves their aliases and has the daemon fetch them.
"""

from functools import partial
from urllib.parse import urlsplit

from lxdapi import validation
from lxdapi.api import API
from lxdapi.errors import APIOperationException, InvalidError, LxdapiError
from lxdapi.http import pem, retry
from lxdapi.images import image, servers, simplestreams
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS

KIND = KINDS["image"]
SIMPLESTREAMS = "simplestreams"
_PROTOCOLS = (SIMPLESTREAMS, "incus", "lxd")
KEYS = ("alias", "certificate", "fingerprint", "image_type", "mode", "protocol", "secret", "server", "type")
FETCH_SECONDS = 3600
# All three daemons.
_OLD = "it caches the index of a simplestreams server for up to an hour: try again later"


def parse_source(source):
    """
    Return the checked REST source of an image on another server.

    source
        A mapping: ``server`` and ``alias`` or ``fingerprint``; ``protocol`` (``simplestreams``), ``certificate`` (PEM
        text or a path), ``image_type`` (``container``, ``virtual-machine``), ``secret`` and ``mode`` (``pull``).

    Raises :class:`InvalidError`.
    """
    validation.require_known("source", source, KEYS)
    parsed = parse_server(source)
    if parsed["type"] != "image" or parsed["mode"] != "pull":
        raise InvalidError("source: expected type: image and mode: pull, because the daemon fetches the image")
    if bool(parsed.get("alias")) == bool(parsed.get("fingerprint")):
        raise InvalidError("source: expected either alias or fingerprint; declare one of them")
    if "fingerprint" in parsed:
        parsed["fingerprint"] = validation.fingerprint(parsed["fingerprint"])
    return parsed


def parse_server(source):
    """Return a source with a checked server, protocol and certificate; raises :class:`InvalidError`."""
    parsed = {"type": "image", "mode": "pull", "protocol": SIMPLESTREAMS, **_without_null(source)}
    if parsed["protocol"] not in _PROTOCOLS:
        raise InvalidError(f"source: unknown protocol {parsed['protocol']!r}; choose from: {', '.join(_PROTOCOLS)}")
    parsed["server"] = simplestreams.parse_url(parsed.get("server"))
    if "certificate" in parsed:
        parsed["certificate"] = pem.to_pem(parsed["certificate"])
    return parsed


def _without_null(source):
    return {key: value for key, value in source.items() if value is not None}


def find_newest(api, source):
    """
    Return the current fingerprint of a declared source (see :func:`parse_source`), read from the server.

    Raises :class:`InvalidError` if the server lacks the image, one of :mod:`lxdapi.errors` if it does not answer.
    """
    if source.get("fingerprint"):
        return source["fingerprint"]
    if source["protocol"] == SIMPLESTREAMS:
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
    architectures = (api.server.get("environment") or {}).get("architectures") or (None,)
    return server.find(source["alias"], architectures[0], source.get("image_type"))


def resolve(api, source, name, auto_update=None):
    """
    Return the fingerprint that the image of a declared source must have.

    name
        The alias or the fingerprint on this daemon.
    auto_update
        True: accept the existing image of that name if the daemon keeps it up to date from this source.
    """
    if source.get("fingerprint") or validation.is_fingerprint(name):
        return source.get("fingerprint") or name
    digest = image.read_alias_target(api, name) if auto_update is True else None
    result = objects.read(api, KIND, digest) if digest else None
    return digest if result is not None and _is_auto_updated(source, result) else find_newest(api, source)


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
    if source["protocol"] == SIMPLESTREAMS and "alias" in source and "image_type" not in source:
        # without it the daemon refuses an alias of both a container and a virtual machine
        source = {**source, "image_type": _find_offered(api, source)["type"]}

    def digest_if_present():
        return digest if objects.read(api, KIND, digest) is not None else None

    try:
        return retry.write_verified(api, partial(_fetch, api, source, digest, timeout), digest_if_present)
    except APIOperationException as exc:
        if digest_if_present():
            return digest
        # Incus 6.0.4 reports "Alias already exists" for an image that it has
        raise LxdapiError(f"{exc.explain()}; {_OLD}") from exc


def _fetch(api, source, digest, timeout):
    operation = api.post("images", json={"source": source}).wait(FETCH_SECONDS if timeout is None else timeout)
    fetched = ((operation.metadata or {}).get("metadata") or {}).get("fingerprint")
    if fetched != digest:
        raise LxdapiError(
            f"expected the image {digest} for {source.get('alias')}, the daemon fetched {fetched}; {_OLD}"
        )
    return digest
