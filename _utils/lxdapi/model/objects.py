"""
Objects by name: where they are in the REST API, whether the daemon knows their kind, and reading one.
"""

from functools import partial

from lxdapi import validation as names
from lxdapi.errors import APIProtocolException, InvalidError
from lxdapi.model import whereabouts
from lxdapi.model.kinds import kind_of


def path_of(kind, name):
    """Return the REST path of an object, each part of its name checked against its rule and quoted."""
    return names.path(kind.path, **parts_of(kind, name))


def parts_of(kind, name):
    """
    Return the parts of a name by their words: ``{"storage_pool": "default", "name": "data"}``.

    Raises :class:`InvalidError` for a name that lacks a parent or that the daemon could misread.
    """
    if not kind.parents:
        return {"name": names.check(kind.rule, kind.label, name)}
    parts = name.split("/") if isinstance(name, str) else ()
    shape = "/".join([*kind.parents, "name"]).upper()
    if len(parts) != len(kind.parents) + 1:
        raise InvalidError(f"{kind.label} name {name!r} is not valid: {shape} is needed")
    own = names.check(kind.rule, kind.label, parts[-1])
    kinds = [kind_of(parent) for parent in kind.parents]
    above = [names.check(parent.rule, parent.label, part) for parent, part in zip(kinds, parts)]
    return dict(zip((*kind.parents, "name"), (*above, own)))


def sibling(kind, name, other):
    """Return the name of another object beside the named one: ``other`` may leave the parents out."""
    if not kind.parents or not isinstance(other, str) or "/" in other:
        return other
    return f"{name.rpartition('/')[0]}/{other}"


def lacks(api, kind):
    """Return in words that the daemon has none of this kind and never will, "" if it can."""
    if kind.cluster.only and not api.clustered:
        return f"the server is not clustered: it has no {kind.label}"
    if kind.extension is None or api.has(kind.extension):
        return ""
    return f"{daemon_of(api)} has no kind {kind.label}: it lacks the API extension {kind.extension}"


def daemon_of(api):
    """Return name and version of the daemon, for a sentence."""
    found = api.server.get("environment") or {}
    return f"{found.get('server', 'the daemon')} {found.get('server_version', '')}".strip()


def require(api, kind):
    """Raise :class:`InvalidError` if the daemon does not know this kind."""
    words = lacks(api, kind)
    if words:
        raise InvalidError(words)


def nowhere(api):
    """Return in words that the project that is asked for everything does not exist, "" if it does."""
    project = api.project or "default"
    # always there; but Incus 7.0.2 hides what is in it from a client, known by https, that is restricted to others
    if project == "default" and api.local:
        return ""
    found = read(api, kind_of("project"), project)
    return "" if found else f"there is no project {project!r} on {api.endpoint}"


def require_project(api):
    """Raise :class:`InvalidError` for a project that does not exist: LXD lists it as empty."""
    words = nowhere(api)
    if words:
        raise InvalidError(words)


def require_fields(api, kind, fields):
    """Raise :class:`InvalidError` if the daemon does not know one of these fields."""
    for field, extension in kind.extensions.items():
        if _declares(fields, *field.split(".")) and not api.has(extension):
            words = f"{daemon_of(api)} has no {field} of the kind {kind.label}: it lacks the API extension {extension}"
            raise InvalidError(words)


def _declares(fields, field, key=None):
    return field in fields and (key is None or any(key in item for item in fields[field]))


def read(api, kind, name):
    """
    Return the :class:`lxdapi.api.APIResult` of the object, None if the daemon says 404.

    Where a state plans, it can be what the run has read before: see :mod:`lxdapi.model.cached_reads`.
    Raises :class:`InvalidError` if the daemon does not know the kind.
    """
    path = path_of(kind, name)
    require(api, kind)
    read_now = partial(whereabouts.get, api, path)
    found = read_now() if api.cache is None else api.cache.get(api, kind, path, read_now)
    if found is None:
        return None
    if not isinstance(found.metadata, dict):
        raise APIProtocolException(found, "this is no object")
    # an interface of the machine, which the daemon lists beside its networks
    return None if found.metadata.get("managed") is False else found
