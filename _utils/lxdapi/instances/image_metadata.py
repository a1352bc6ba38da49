"""
What an instance has of its image: the metadata, and the templates by which the daemon writes files into it.
"""

from collections.abc import Mapping

from lxdapi import masking, validation
from lxdapi.errors import APINotFoundException, APIUndoneException, InvalidError
from lxdapi.http import retry
from lxdapi.instances import rest_files
from lxdapi.model import objects

# field: (type, the type in words)
_FIELDS = {
    "architecture": (str, "text"),
    "creation_date": (int, "a whole number"),
    "expiry_date": (int, "a whole number"),
    "properties": (Mapping, "a mapping"),
    "templates": (Mapping, "a mapping"),
}
_MAPS = ("properties", "templates")
_TEMPLATE = {"when": (list, tuple), "create_only": bool, "template": str, "properties": Mapping}


def read_metadata(api, name):
    """Return the metadata: architecture, dates, properties and templates."""
    return _read(api, name)[0]


def update_metadata(api, name, given):
    """
    Make fields of the metadata as declared and return what that changed.

    given
        ``architecture``, ``creation_date``, ``expiry_date`` (seconds since 1970), ``properties``, ``templates``
        (``{path in the instance: {template, when, create_only, properties}}``). What is not named is left alone; of a
        mapping ``null`` removes a key, and an empty one all of them.
    """
    goals, changes = _parse(given), {}

    def act():
        current, etag = _read(api, name)
        delta = _differences(goals, current)
        if delta:
            changes.update(delta)
            _write(api, name, delta, current, etag)
            _require_written(api, name, goals)
        return changes

    return retry.write_verified(api, act, lambda: None if _differences(goals, _read(api, name)[0]) else changes)


def _read(api, name):
    """Return (metadata, ETag); a mapping that is null is empty."""
    found = api.get(rest_files.subpath(name, "metadata"))
    whole = {**found.metadata, **{field: found.metadata.get(field) or {} for field in _MAPS}}
    rules = whole["templates"].items()
    whole["templates"] = {path: {**rule, "properties": rule.get("properties") or {}} for path, rule in rules}
    return whole, found.etag


def _write(api, name, delta, current, etag):
    """Send the difference: by PATCH what is added or changed, by a PUT of the whole what goes."""
    url = rest_files.subpath(name, "metadata")
    touched = {field: _goal(field, change) for field, change in delta.items()}
    # no daemon heeds it yet (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2)
    headers = {"If-Match": etag} if etag else {}
    if not any(None in touched[field].values() for field in _MAPS if field in touched):
        api.patch(url, json=touched, headers=headers)
        return
    merged = {field: {**current[field], **touched.get(field, {})} for field in _MAPS}
    merged = {field: {key: v for key, v in whole.items() if v is not None} for field, whole in merged.items()}
    api.put(url, json={**current, **touched, **merged}, headers=headers)


def _goal(field, change):
    return {key: each["new"] for key, each in change.items()} if field in _MAPS else change["new"]


def _require_written(api, name, goals):
    """Raise if the daemon accepted a write and something is otherwise all the same."""
    left = _differences(goals, _read(api, name)[0])
    if left:
        words = f"the daemon accepted it, but {', '.join(left)} did not become as declared"
        raise APIUndoneException(error=words, method="PUT", url=rest_files.subpath(name, "metadata"))


def _differences(goals, current):
    """Return the changes: ``{field: {old, new}}``, of mappings ``{field: {key: {old, new}}}``."""
    changes = {}
    for field, goal in goals.items():
        old = current.get(field)
        if field in _MAPS:
            goal = goal or dict.fromkeys(old)
            found = {key: {"old": old.get(key), "new": new} for key, new in goal.items() if old.get(key) != new}
        else:
            found = {"old": old, "new": goal} if old != goal else None
        changes.update({field: found} if found else {})
    return changes


def _parse(given):
    """Return the declared fields; raises :class:`InvalidError` for an unknown one and a wrong type."""
    if not isinstance(given, Mapping):
        raise InvalidError(f"metadata: a mapping of fields is needed, not {type(given).__name__}")
    unknown = [str(field) for field in given if field not in _FIELDS]
    if unknown:
        raise InvalidError(f"metadata: unknown field {', '.join(unknown)}; there are: {', '.join(_FIELDS)}")
    return {field: _field(field, value) for field, value in given.items() if value is not None}


def _field(field, value):
    kind, words = _FIELDS[field]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InvalidError(f"metadata {field}: {words} is needed, not {type(value).__name__}")
    if kind is int and not 0 <= value < 2**63:
        raise InvalidError(f"metadata {field}: it is in seconds since 1970, not negative and no more than 63 bits")
    if kind is not Mapping:
        return value if kind is int else validation.config_value(f"metadata {field}", value) or ""
    rule = validation.config_value if field == "properties" else _rule
    return {validation.check("any", f"{field} key", key): rule(f"{field} {key}", each) for key, each in value.items()}


def _rule(what, given):
    """Return when a file in the instance is written and from what, as the daemon lists it; None removes it."""
    if given is None:
        return None
    if not isinstance(given, Mapping) or not all(isinstance(given[key], _TEMPLATE.get(key, ())) for key in given):
        raise InvalidError(f"{what}: a mapping of template, when (a list), create_only and properties is needed")
    when = list(given.get("when") or ())
    if not when or not all(isinstance(each, str) for each in when):
        raise InvalidError(f"{what}: when is needed, a list of create, copy, rename and start")
    own = {
        validation.check("any", what, key): validation.config_value(f"{what} {key}", each) or ""
        for key, each in (given.get("properties") or {}).items()
    }
    file = validation.check("plain", "template", given.get("template"))
    return {"create_only": given.get("create_only", False), "properties": own, "template": file, "when": when}


def list_templates(api, name):
    """Return the names of the templates, sorted."""
    return sorted(api.get(rest_files.subpath(name, "metadata/templates")).metadata or ())


def read_template(api, name, file):
    """Return the text of a template."""
    return rest_files.decode(_contents(api, name, file))


def write_template(api, name, file, contents):
    """Make the text of a template as given; returns what that changed."""
    if not isinstance(contents, str):
        raise InvalidError(f"contents: text is needed, not {type(contents).__name__}")
    body = (validation.config_value("contents", contents) or "").encode("utf-8")
    if len(body) > rest_files.LIMIT:
        raise InvalidError(f"contents: no more than {rest_files.LIMIT} bytes")
    old = _contents_or_none(api, name, file)
    if old == body:
        return {}
    url, query = _template_place(name, file)
    options = {"params": query, "data": body, "headers": {"Content-Type": "application/octet-stream"}}
    retry.write_verified(
        api, lambda: api.post(url, **options), lambda: True if _contents_or_none(api, name, file) == body else None
    )
    return {"templates": {file: masking.document_change(None if old is None else rest_files.decode(old), contents)}}


def delete_template(api, name, file):
    """Delete a template; returns what changed, nothing if there is none."""
    url, query = _template_place(name, file)
    if rest_files.delete_if_exists(api, url, query):
        return {"deleted": file}
    api.get(objects.path_of(rest_files.KIND, name))
    return {}


def _template_place(name, file):
    # a query is decoded once only (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2): unlike in a path, a % harms nobody
    return rest_files.subpath(name, "metadata/templates"), {"path": validation.check("plain", "template", file)}


def _contents(api, name, file):
    url, query = _template_place(name, file)
    body = rest_files.read_end(api, url, rest_files.LIMIT + 1, query)
    if len(body) > rest_files.LIMIT:
        raise InvalidError(f"template {file} of {name} has more than {rest_files.LIMIT} bytes")
    return body


def _contents_or_none(api, name, file):
    """Return the bytes of a template, None if there is none; raises if there is no such instance."""
    try:
        return _contents(api, name, file)
    except APINotFoundException:
        api.get(objects.path_of(rest_files.KIND, name))
        return None
