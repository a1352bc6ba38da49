"""
Images as the removed functions and states named and fetched them.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, List, NamedTuple, Optional, Tuple

from lxdapi import hashing, local_files, validation
from lxdapi.dropin import errors
from lxdapi.errors import APINotTrustedException, InvalidError, LxdapiError
from lxdapi.http import endpoints, tls
from lxdapi.images import image, remote, servers, transfer
from lxdapi.model import objects
from lxdapi.plan import converge, steps
from lxdapi.plan.steps import Plan, Step

if TYPE_CHECKING:
    from lxdapi.api import API

# A fingerprint, None if only the daemon can find it, and steps.
_Planned = Tuple[Optional[str], List[Step]]
TYPES = ("lxd", "file", "simplestreams", "url")


class Tools(NamedTuple):
    """
    Functions and settings of Salt that a front passes on.

    cache_file
        Salt's ``cp.cache_file``.
    cachedir
        The cache folder of the minion.
    saltenv
        The environment of ``salt://`` sources.
    connect
        Returns the API of another daemon: ``connect(remote_addr, cert, key, verify_cert)``.
    """

    cache_file: Callable
    cachedir: str
    saltenv: str = "base"
    connect: Any = None


class Settings(NamedTuple):
    """The declared settings of an image; None: unchanged, or those of the source."""

    aliases: Any = None
    public: Any = None
    auto_update: Any = None

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of the image that are declared."""
        values = {"public": self.public, "auto_update": self.auto_update}
        return {field: validation.truth(field, value) for field, value in values.items() if value is not None}


def find_by_alias(api: API, alias: str) -> dict[str, Any] | None:
    """Return the image that an alias points at, None if the alias does not exist."""
    digest = image.read_alias_target(api, alias)
    return _find(api, digest) if digest else None


def find_by_fingerprint(api: API, fingerprint: Any) -> dict[str, Any] | None:
    """Return the image with a fingerprint, or with the only one that begins so; None if there is no such image."""
    text = str(fingerprint).lower()
    if validation.is_fingerprint(text):
        return _find(api, text)
    if not re.fullmatch("[0-9a-f]{4,63}", text):
        return None
    digests = [each.rpartition("/")[2] for each in (api.get("images").metadata or ())]
    matches = [each for each in digests if each.startswith(text)]
    return _find(api, matches[0]) if len(matches) == 1 else None


def _find(api, digest):
    result = objects.read(api, image.KIND, digest)
    return result.metadata if result is not None else None


def find(api: API, name: Any) -> dict[str, Any] | None:
    """Return an image by its alias or fingerprint, or as a mapping that has one; None if it does not exist."""
    if isinstance(name, dict):
        return find_by_fingerprint(api, name.get("fingerprint"))
    return find_by_alias(api, name) or find_by_fingerprint(api, name)


def require(api: API, name: Any) -> dict[str, Any]:
    """Return an image by its alias or fingerprint; raises Salt's own error if it does not exist."""
    found = find(api, name)
    if found is None:
        raise errors.not_found("Image with fingerprint", name)
    return found


def plan_present(api: API, name: str, source: Any, settings: Settings, tools: Tools) -> Plan:
    """Return the steps to an image with an alias; an existing image is not fetched again."""
    found, names = find_by_alias(api, name), [name]
    names += [] if settings.aliases is None else image.parse_aliases(settings.aliases)
    if found is None:
        return Plan.of(_plan_new(api, source, settings._replace(aliases=names), tools)[1])
    declared = {"public": settings.fields.get("public")}
    purge = settings.aliases is not None
    return Plan.of(image.plan_present(api, found["fingerprint"], declared, None, names, purge=purge))


def create(api: API, source: dict[str, Any], settings: Settings, tools: Tools) -> dict[str, Any]:
    """Fetch the image of a source, with the aliases of ``settings``, and return it."""
    settings = settings._replace(aliases=image.parse_aliases(settings.aliases or ()))
    digest, planned = _plan_new(api, source, settings, tools)
    changes = steps.apply(planned)
    return _find(api, digest or changes["created"]) or {}


def _plan_new(api, source, settings, tools) -> _Planned:
    """Return (fingerprint or None, the steps that fetch an image and set its aliases)."""
    source = validation.mapping("source", source, "a mapping with 'type'")
    if source.get("type") not in _SOURCES:
        raise InvalidError.of_value("type of the source", f"one of {', '.join(TYPES)}", source.get("type"))
    return _SOURCES[source["type"]](api, source, settings, tools)


def _require_keys(source, *keys):
    missing = [key for key in keys if not source.get(key)]
    if missing:
        raise InvalidError(f"a source of the type {source['type']} requires {', '.join(missing)}: declare it")
    return [source[key] for key in keys]


def _plan_file(api, source, settings, tools) -> _Planned:
    """Return (fingerprint, steps) for an image of a file; it has no source to be updated from."""
    (filename,) = _require_keys(source, "filename")
    path = local_files.local_file(tools.cache_file, filename, source.get("saltenv") or tools.saltenv)
    digest = hashing.cached_fingerprint(path, memory=hashing.memory_file(tools.cachedir))
    declared = {"public": settings.fields.get("public")}
    send = partial(image.upload, api, path, digest=digest)
    return digest, image.plan_present(api, digest, declared, send, settings.aliases or ())


def _plan_simplestreams(api, source, settings, tools) -> _Planned:
    server, alias = _require_keys(source, "server", "name")
    # the name of a server of lxdapi:image_servers, which can have a certificate
    known = {"server": server} if "/" in server else servers.settings_of(api, server)
    return _plan_fetch(api, remote.parse_source({**known, "alias": alias}), settings)


def _plan_fetch(api, source, settings) -> _Planned:
    """Return (fingerprint, steps) for an image that the daemon fetches from another server."""
    digest = remote.resolve(api, source, "")
    fetch = partial(remote.fetch, api, source, digest)
    return digest, image.plan_present(api, digest, settings.fields, fetch, settings.aliases or ())


def _plan_lxd(api, source, settings, tools) -> _Planned:
    """Return (fingerprint, steps) for an image of another daemon, or a public one of a daemon without trust."""
    name, address = _require_keys(source, "name", "remote_addr")
    try:
        origin = tools.connect(address, source.get("cert"), source.get("key"), source.get("verify_cert", True))
    except APINotTrustedException:
        return _plan_fetch(api, _public_source(api, source, name, address), settings)
    folder = local_files.cache_folder(tools.cachedir)
    original = find(origin, name)
    if original is None:
        raise InvalidError(f"image {name} does not exist on {origin.address_text}")
    digest, planned = transfer.plan_copy(api, origin, original["fingerprint"], folder, settings.aliases or ())
    changed = converge.plan_follow_up(api, image.KIND, digest, settings.fields) if planned else []
    return digest, [*planned, *changed]


def _public_source(api, source, name, address):
    """Return the REST source of a public image."""
    certificate = None if source.get("verify_cert", True) is True else tls.read_certificate(endpoints.base_url(address))
    key = "fingerprint" if validation.is_fingerprint(name) else "alias"
    declared = {"server": address, "protocol": api.dialect.lower(), key: name, "certificate": certificate}
    return remote.parse_source(declared)


def _plan_url(api, source, settings, tools) -> _Planned:
    """Return (None, steps) for an image whose address a web server names in its headers: only the daemon reads it."""
    (url,) = _require_keys(source, "url")
    names, fetched = settings.aliases or (), []

    def fetch():
        body = {"source": {"type": "url", "mode": "pull", "url": url}, **settings.fields}
        operation = api.post("images", json=body).wait(remote.FETCH_SECONDS)
        digest = ((operation.metadata or {}).get("metadata") or {}).get("fingerprint")
        if not digest:
            raise LxdapiError(f"the daemon did not report the fingerprint of the image of {url}")
        fetched.append(digest)
        return {"created": digest}

    def add_aliases():
        return steps.apply(image.plan_aliases(api, names, fetched[0]))

    aliases = {"aliases": {alias: {"old": None, "new": url} for alias in names}}
    planned = [Step("created", {"created": url}, fetch)]
    return None, planned + ([Step("given its aliases", aliases, add_aliases)] if names else [])


_SOURCES = {"lxd": _plan_lxd, "file": _plan_file, "simplestreams": _plan_simplestreams, "url": _plan_url}


def add_alias(api: API, name: Any, alias: str, description: Any = "") -> bool:
    """Add an alias to an image and return True; the daemon refuses an alias of another image."""
    digest = require(api, name)["fingerprint"]
    if image.read_alias_target(api, alias) != digest:
        declared = {"target": digest, "description": description}
        steps.apply(converge.plan_create_new(api, "image_alias", alias, declared))
    return True


def delete_alias(api: API, name: Any, alias: str) -> bool:
    """Delete an alias of an image; returns False if the image does not have it."""
    if image.read_alias_target(api, alias) != require(api, name)["fingerprint"]:
        return False
    return bool(steps.apply(converge.plan_absent(api, "image_alias", alias)))
