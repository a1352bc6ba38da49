"""
Export of existing objects as SLS; applying it changes nothing.
"""

import json

from lxdapi import masking, validation, yaml_text
from lxdapi.cluster import per_member
from lxdapi.errors import InvalidError
from lxdapi.model import diff, equality, listing, objects
from lxdapi.model.kinds import KINDS, get_kind
from lxdapi.model.schema import FIELDS
from lxdapi.reports import dependencies
from lxdapi.reports.effective import HIDDEN

# The kinds that can be declared, each after the kinds that it may need; see also lxdapi.reports.dependencies.
ORDER = (
    *("cluster_member", "cluster_group", "storage_pool", "project", "certificate"),
    *("storage_volume", "volume_snapshot", "storage_bucket", "storage_bucket_key", "server"),
    *("network_address_set", "network_acl", "network_zone", "network_zone_record"),
    *("network_integration", "network", "network_forward", "network_load_balancer", "network_peer"),
    *("profile", "image", "image_alias", "instance", "instance_snapshot"),
)
# State ids with another meaning in an SLS.
_RESERVED = ("include", "exclude", "extend")


def read_states(api, kind_name=None, name=None, connection=None, left_out=None):
    """
    Return existing objects as SLS data: ``{id: {state: [parameters]}}``, applying it changes nothing.

    kind_name, name
        The kind and the name. Default: all, in the order in which they can be created.
    connection
        ``{"remote": x, "project": x}``: parameters for every state.
    left_out
        A list; the names of secret values, which are not exported, are added to it.
    """
    if name is not None and kind_name is None:
        raise InvalidError("a name requires a kind: declare the kind too")
    objects.require_project(api)
    states, connection = {}, connection or {}
    kind_names = [kind_name] if kind_name else _exportable_kinds(api, connection.get("project"))
    entries = [entry for each in kind_names for entry in _read_entries(api, each, name)]
    for entry in dependencies.in_order(entries):
        kind = get_kind(entry.kind_name)
        state_id, declared = _complete_declaration(api, kind, entry)
        _add_state(states, entry.kind_name, state_id, {**declared, **_connection_parameters(kind, connection)})
        names = [] if entry.bare else _secret_names(kind, entry.metadata)
        (left_out if left_out is not None else []).extend(f"{entry.kind_name} {entry.name}: {what}" for what in names)
    return states


def _read_entries(api, kind_name, name):
    """Return the selected objects, sorted by name and member."""
    selected = sorted(_read_selected(api, kind_name, name), key=lambda chosen: (chosen[0], chosen[2] or ""))
    return [dependencies.Entry(kind_name, *each) for each in selected]


def _complete_declaration(api, kind, entry):
    """Return (name, parameters) that declare an object on this server or cluster."""
    state_id, declared = _declaration(kind, entry.name, entry.metadata)
    declared = {**declared, **_complete_config(kind, entry.name, entry.metadata, declared)}
    declared.update(_members(api, kind, entry.name, entry.metadata))
    declared.update({"target": entry.member} if entry.member else {})
    return state_id, {key: value for key, value in declared.items() if not (entry.bare and key in kind.items)}


def _exportable_kinds(api, project):
    """Return the kinds that can have objects; for a project, only the kinds that it does not share."""
    kinds = {
        kind_name: KINDS[kind_name] for kind_name in ORDER if not objects.unsupported_reason(api, KINDS[kind_name])
    }
    if project in (None, "default"):
        return list(kinds)
    config = api.get(validation.path("projects/{name}", name=project)).metadata["config"]
    features = {kind_name: kind.project_feature for kind_name, kind in kinds.items() if not kind.of_server}
    return [kind_name for kind_name, feature in features.items() if not feature or config.get(feature) == "true"]


def _secret_names(kind, metadata):
    """Return the names of the values of an object that are not exported because they are or hold a secret."""
    fields = [field for field in kind.fields if masking.is_secret(field) and metadata.get(field)]
    maps = {field: metadata.get(field) or {} for field in ("config", "properties") if field in kind.fields}
    if "devices" in kind.fields:
        maps.update({f"device {name}": device for name, device in (metadata.get("devices") or {}).items()})
    keys = [
        f"{place} {key}"
        for place, values in maps.items()
        for key in sorted(values)
        if masking.holds_secret(key, values[key], place.partition(" ")[2])
    ]
    return fields + [each for each in keys if not each.startswith(tuple(f"config {prefix}" for prefix in HIDDEN))]


def _connection_parameters(kind, connection):
    return {key: value for key, value in connection.items() if value and not (kind.of_server and key == "project")}


def _add_state(states, kind_name, name, declared):
    """Add a state under its name, or under its kind and name if the name is reserved or taken."""
    title = f"{name} in {declared['project']}" if declared.get("project") else name
    while title in states or title in _RESERVED or title.startswith("__"):
        title = f"{kind_name} {title}"
    parameters = declared if title == name else {"name": name, **declared}
    states[title] = {f"lxdapi_{kind_name}.present": [{key: value} for key, value in parameters.items()]}


def _read_selected(api, kind_name, name):
    kind = get_kind(kind_name)
    if kind_name not in ORDER:
        raise InvalidError(f"the kind {kind.label} has no state present, so it cannot be exported")
    objects.require(api, kind)
    if name is None:
        # without cached images: the daemon fetches and deletes them by itself
        everything = listing.list_everything(api, kind) if kind.path else [(kind_name, api.get("").metadata, None)]
        return [_read_again(api, kind, *each) for each in everything if not each[1].get("cached")]
    result = objects.read(api, kind, name)
    if result is None:
        raise InvalidError(f"{kind.label} {name} does not exist")
    return [(name, result.metadata, listing.member_of(kind, result.metadata, None))]


def _read_again(api, kind, name, metadata, member):
    """Return a listed object; on a member it is read again, because LXD 5.0.2 lists those of other members too."""
    result = objects.read(api.at(member), kind, name) if member else None
    return (name, result.metadata if result is not None else metadata, member)


def _declaration(kind, name, metadata):
    """Return (name, parameters) that declare an object as it is, without empty and false values."""
    declared, metadata = {}, {**metadata, "source": kind.source_of(metadata)}
    for field in kind.create_only + kind.create.fields + kind.fields:
        value = _value(kind, field, metadata.get(field))
        # an empty list of profiles differs from undeclared profiles
        if value not in _NOTHING or (value == [] and FIELDS[field] == "list"):
            declared[field.replace("-", "_")] = value
    return declared.pop("name", name), declared


def _complete_config(kind, name, metadata, declared):
    """Return the config with its source, and with None for the keys that a new object would get by default."""
    if "config" not in kind.fields:
        return {}
    config = {**_sources(kind, name, metadata.get("config") or {}), **declared.get("config", {})}
    types = dict.fromkeys((metadata.get("type") or "", ""))
    keys = [key for each in types for key in kind.create.server_defaults.get(each, ())]
    config.update({key: None for key in keys if key not in (metadata.get("config") or {})})
    return {"config": config} if config else {}


def _members(api, kind, name, metadata):
    """Return the parameter ``members`` if a member of the cluster has config of its own, {} otherwise."""
    parts = per_member.read_parts(api, kind, name, metadata)
    configs = {
        member: {**_sources(kind, name, config), **_config(kind, "config", config)} for member, config in parts.items()
    }
    declared = {member: config for member, config in configs.items() if config}
    return {"members": declared} if declared else {}


def _sources(kind, name, config):
    """Return the rewritten create-only keys of a config, except for sources that the daemon chose itself."""
    chosen = (f"/storage-pools/{name}", f"/disks/{name}.img")
    return {key: config[key] for key in kind.create_only_config if key in config and not config[key].endswith(chosen)}


_NOTHING = (None, "", {}, [], False)


def _value(kind, field, value):
    """Return a field's value for a declaration: without the daemon's own keys, and without secrets."""
    if masking.is_secret(field):
        return None
    kind_of_value = "items" if field in kind.items else FIELDS[field]
    if kind_of_value == "time":
        return None if equality.parse_time(value) == diff.NEVER else value
    return _VALUES.get(kind_of_value, lambda _, __, same: same)(kind, field, value)


def _config(kind, field, config):
    config = config or {}
    immutable = kind.create_only_config
    declarable = {key: value for key, value in config.items() if not key.startswith(HIDDEN) and key not in immutable}
    return _shareable_config({**declarable, **{key: config[kept] for key, kept in immutable.items() if kept in config}})


def _shareable_config(config, within=""):
    """Return the config without values that are or hold a secret."""
    return {key: config[key] for key in sorted(config) if not masking.holds_secret(key, config[key], within)}


def _devices(kind, field, devices):
    return {name: _shareable_config(device, name) for name, device in sorted((devices or {}).items())}


def _items(kind, field, items):
    spec = kind.items[field]
    known = (*spec.identity, *spec.attributes)
    return [{key: item[key] for key in known if item.get(key) not in _NOTHING} for item in items or ()]


def _set(kind, field, values):
    return sorted(values or ())


def _roles(kind, field, values):
    return sorted(set(values or ()) - set(diff.AUTOMATIC_ROLES))


_VALUES = {"devices": _devices, "items": _items, "map": _config, "roles": _roles, "set": _set}


def format_sls(states, left_out=()):
    """
    Return the text of an SLS file with the states. The first line disables Jinja, which would evaluate braces in
    values.

    left_out
        The names for comments at the top.
    """
    head = "#!yaml\n" + "".join(f"# omitted, because it is secret: {json.dumps(label)[1:-1]}\n" for label in left_out)
    return head + (yaml_text.dump(states, indented_lists=True) if states else "{}\n")
