"""
Sources of new instances: an image, a copy, or nothing.
"""

from functools import lru_cache

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.images import servers
from lxdapi.model import diff, objects
from lxdapi.model.kinds import KINDS

# The source of an empty instance, and the one of a declaration without a source.
NONE, UNDECLARED = {"type": "none"}, {"type": ""}
_TYPES = ("backup", "copy", "image", "migration", "none")
# The keys of a source whose values are text.
_TEXTS = ("type", "alias", "fingerprint", "project", "protocol", "server", "source")
# Fields that the daemon does not copy by itself, and fields that decide how it copies.
_COPIED = ("architecture", "description", "ephemeral", "profiles", "type")


def parse_source(source):
    """
    Return the REST source of a declared source; raises for an invalid one.

    source
        An alias or a fingerprint (text), the short form of an image of another server, ``none`` for an empty instance,
        None for :data:`UNDECLARED`, or a REST source: ``{type: image, alias: x, server: https://..., protocol:
        simplestreams}``, ``{type: copy, source: y}``. A short form is a ``reference``, which
        :func:`lxdapi.images.servers.resolve` replaces.
    """
    if source in (None, "none"):
        return dict(UNDECLARED if source is None else NONE)
    return dict(_parse_text(source)) if isinstance(source, str) else _parse_mapping(source)


# many instances have the same source
@lru_cache(maxsize=32)
def _parse_text(source):
    return _parse_mapping({"type": "image", **servers.parse_reference(source)})


def _parse_mapping(source):
    source = validation.mapping("source", source, "an alias, a fingerprint or a mapping with 'type'")
    source = {"type": "image", **{key: value for key, value in source.items() if value is not None}}
    for key in _TEXTS:
        if not isinstance(source.get(key, ""), str):
            raise InvalidError.of_value(f"source {key}", "text (quote the value)", source[key])
    validation.require_known("source type", [source["type"]], _TYPES, "type")
    if source["type"] == "copy" and not source.get("source"):
        raise InvalidError.of_value("the source of a copy", "the name of an instance", source.get("source"))
    if source["type"] == "image":
        source = _parse_image(source)
    return diff.normalize(KINDS["instance"], {"source": source})["source"]


def _parse_image(source):
    """Return the source of an image, with its fingerprint in lower case; raises for one that no daemon accepts."""
    if not any(source.get(key) for key in ("alias", "fingerprint", "properties", "reference")):
        raise InvalidError("source: expected alias or fingerprint of an image; declare one of them")
    server = source.get("server") or ""
    if server and "://" not in server:
        raise InvalidError(
            f"source: expected the https:// URL of an image server for server, got {server!r}; for a server by its "
            f"name, declare source: {server}:ALIAS"
        )
    return {**source, "fingerprint": source["fingerprint"].lower()} if "fingerprint" in source else source


def require_declared(source):
    """Raise :class:`InvalidError` if a new instance has no declared source."""
    if source == UNDECLARED:
        raise InvalidError(
            "it does not exist, and no source is declared: declare source, or source: none for an empty instance"
        )


def needed_images(source):
    """Return [(kind name, name)] of the image of this daemon and project that a parsed source needs."""
    if source["type"] != "image" or source.get("server") or "project" in source:
        return []
    kinds = {"image_alias": source.get("alias"), "image": source.get("fingerprint")}
    return [(kind, name) for kind, name in kinds.items() if name]


def _project_query(source):
    """Return the query parameters for the project that a source names."""
    return {"project": source["project"]} if "project" in source else {}


def resolve_alias(api, source):
    """
    Return the source with the fingerprint instead of an alias of this daemon.

    So a missing image is a plain "not found", which LXD and Incus report differently, and the instance is created from
    the current image of the alias.
    """
    if source["type"] != "image" or source.get("server"):
        return source
    params = _project_query(source)
    if source.get("alias"):
        metadata = api.get(objects.path_of(KINDS["image_alias"], source["alias"]), params=params).metadata
        source = {**source, "fingerprint": metadata["target"]}
        del source["alias"]
    elif source.get("fingerprint"):
        api.get(objects.path_of(KINDS["image"], source["fingerprint"]), params=params)
    return source


def inherited_fields(api, source):
    """
    Return the fields of a copy's origin that the daemon does not copy: LXD 5.0.2 and Incus 6.0.4 drop description and
    ephemeral, LXD also the profiles.
    """
    name, slash, snapshot = source["source"].partition("/")
    path, params = objects.path_of(KINDS["instance"], name), _project_query(source)
    metadata = api.get(path, params=params).metadata
    if slash:
        validation.check("token", "snapshot", snapshot)
        snapshot_result = api.get(validation.path(path + "/snapshots/{name}", name=snapshot), params=params)
        metadata = {**metadata, **snapshot_result.metadata}
    return {field: metadata[field] for field in _COPIED if field in metadata}
