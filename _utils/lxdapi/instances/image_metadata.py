"""
The image metadata of an instance and the templates from which the daemon writes files into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxdapi import masking, validation
from lxdapi.errors import APINotFoundException, APIUndoneException, InvalidError
from lxdapi.http import retry
from lxdapi.instances import rest_files
from lxdapi.model import objects

# field: (type, the type for an error)
_FIELDS: dict[str, tuple[Any, str]] = {
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


def update_metadata(api, name, declared):
    """
    Update declared fields of the metadata and return the changes.

    declared
        ``architecture``, ``creation_date``, ``expiry_date`` (seconds since 1970), ``properties``, ``templates``
        (``{path in the instance: {template, when, create_only, properties}}``). Undeclared fields stay
        unchanged. In a mapping, ``null`` removes a key; an empty mapping removes all keys.
    """
    fields, changes = _parse(declared), {}

    def act():
        actual, etag = _read(api, name)
        delta = _differences(fields, actual)
        if delta:
            changes.update(delta)
            _write(api, name, delta, actual, etag)
            _require_written(api, name, fields)
        return changes

    return retry.write_verified(api, act, lambda: None if _differences(fields, _read(api, name)[0]) else changes)


def _read(api, name):
    """Return (metadata, ETag); null mappings become empty ones."""
    result = api.get(rest_files.subpath(name, "metadata"))
    metadata = {**result.metadata, **{field: result.metadata.get(field) or {} for field in _MAPS}}
    rules = metadata["templates"].items()
    metadata["templates"] = {path: {**rule, "properties": rule.get("properties") or {}} for path, rule in rules}
    return metadata, result.etag


def _write(api, name, delta, actual, etag):
    """Send the difference: additions and changes by PATCH, removals by a PUT of everything."""
    url = rest_files.subpath(name, "metadata")
    touched = {field: _new_value(field, change) for field, change in delta.items()}
    # no daemon supports it yet (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2)
    headers = {"If-Match": etag} if etag else {}
    if not any(None in touched[field].values() for field in _MAPS if field in touched):
        api.patch(url, json=touched, headers=headers)
        return
    merged = {field: {**actual[field], **touched.get(field, {})} for field in _MAPS}
    merged = {field: {key: v for key, v in entries.items() if v is not None} for field, entries in merged.items()}
    api.put(url, json={**actual, **touched, **merged}, headers=headers)


def _new_value(field, change):
    return {key: each["new"] for key, each in change.items()} if field in _MAPS else change["new"]


def _require_written(api, name, fields):
    """Raise if the daemon accepted a write without doing it."""
    remaining = _differences(fields, _read(api, name)[0])
    if remaining:
        message = f"the daemon accepted the write, but {', '.join(remaining)} did not become as declared"
        raise APIUndoneException(error=message, method="PUT", url=rest_files.subpath(name, "metadata"))


def _differences(fields, actual):
    """Return the changes ``{field: {old, new}}``, for mappings ``{field: {key: {old, new}}}``."""
    changes = {}
    for field, declared in fields.items():
        old = actual.get(field)
        if field in _MAPS:
            declared = declared or dict.fromkeys(old)
            change = {key: {"old": old.get(key), "new": new} for key, new in declared.items() if old.get(key) != new}
        else:
            change = {"old": old, "new": declared} if old != declared else {}
        changes.update({field: change} if change else {})
    return changes


def _parse(declared):
    """Return the declared fields; raises :class:`InvalidError` for an unknown field or a wrong type."""
    if declared in (None, []):
        raise InvalidError.of_value("metadata", "a mapping of fields", declared)
    declared = validation.mapping("metadata", declared, "a mapping of fields")
    validation.require_known("metadata", declared, _FIELDS, "field")
    return {field: _parse_field(field, value) for field, value in declared.items() if value is not None}


def _parse_field(field, value):
    field_type, type_name = _FIELDS[field]
    value = validation.mapping(f"metadata {field}", value) if field_type is Mapping else value
    if not isinstance(value, field_type) or isinstance(value, bool):
        raise InvalidError.of_value(f"metadata {field}", type_name, value, secret=True)
    if field_type is int and not 0 <= value < 2**63:
        raise InvalidError.of_value(f"metadata {field}", "seconds since 1970, from 0 to 2**63 - 1", value)
    if field_type is not Mapping:
        return value if field_type is int else validation.config_value(f"metadata {field}", value) or ""
    rule = validation.config_value if field == "properties" else _parse_rule
    return {validation.check("any", f"{field} key", key): rule(f"{field} {key}", each) for key, each in value.items()}


def _parse_rule(what, value):
    """Return a template rule in the daemon's form, None if it is to be removed."""
    if value is None:
        return None
    if not isinstance(value, Mapping) or not all(isinstance(value[key], _TEMPLATE.get(key, ())) for key in value):
        raise InvalidError(f"{what}: expected a mapping with template, when (a list), create_only and properties")
    when = list(value.get("when") or ())
    if not when or not all(isinstance(each, str) for each in when):
        raise InvalidError.of_value(f"when of {what}", "a list of create, copy, rename or start", when)
    properties = {
        validation.check("any", what, key): validation.config_value(f"{what} {key}", each) or ""
        for key, each in (value.get("properties") or {}).items()
    }
    file = validation.check("plain", "template", value.get("template"))
    return {"create_only": value.get("create_only", False), "properties": properties, "template": file, "when": when}


def list_templates(api, name):
    """Return the names of the templates, sorted."""
    return sorted(api.get(rest_files.subpath(name, "metadata/templates")).metadata or ())


def read_template(api, name, file):
    """Return the text of a template."""
    return rest_files.decode(_read_contents(api, name, file))


def write_template(api, name, file, contents):
    """Write the text of a template and return the changes."""
    if not isinstance(contents, str):
        raise InvalidError.of_value("contents", "text", contents, secret=True)
    body = (validation.config_value("contents", contents) or "").encode("utf-8")
    if len(body) > rest_files.LIMIT:
        raise InvalidError(f"contents: expected at most {rest_files.LIMIT} bytes, got {len(body)}")
    old = _read_contents_or_none(api, name, file)
    if old == body:
        return {}
    url, query = _template_address(name, file)
    options = {"params": query, "data": body, "headers": {"Content-Type": "application/octet-stream"}}
    retry.write_verified(
        api, lambda: api.post(url, **options), lambda: True if _read_contents_or_none(api, name, file) == body else None
    )
    return {"templates": {file: masking.document_change(None if old is None else rest_files.decode(old), contents)}}


def delete_template(api, name, file):
    """Delete a template and return the changes, {} if it did not exist."""
    url, query = _template_address(name, file)
    if rest_files.delete_if_exists(api, url, query):
        return {"deleted": file}
    api.get(objects.path_of(rest_files.KIND, name))
    return {}


def _template_address(name, file):
    # the daemons decode a query only once (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2): unlike in a path, a % is harmless
    return rest_files.subpath(name, "metadata/templates"), {"path": validation.check("plain", "template", file)}


def _read_contents(api, name, file):
    url, query = _template_address(name, file)
    body = rest_files.read_end(api, url, rest_files.LIMIT + 1, query)
    if len(body) > rest_files.LIMIT:
        raise InvalidError(f"template {file} of {name} has more than {rest_files.LIMIT} bytes")
    return body


def _read_contents_or_none(api, name, file):
    """Return the bytes of a template, None if it does not exist; raises if the instance does not exist."""
    try:
        return _read_contents(api, name, file)
    except APINotFoundException:
        api.get(objects.path_of(rest_files.KIND, name))
        return None
