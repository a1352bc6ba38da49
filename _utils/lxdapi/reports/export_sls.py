"""
Existing objects as SLS, which applied changes nothing.
"""

import json

from lxdapi import masking, validation, yaml_text
from lxdapi.cluster import per_member
from lxdapi.errors import InvalidError
from lxdapi.model import diff, equality, listing, objects
from lxdapi.model.kinds import KINDS, get_kind
from lxdapi.model.schema import FIELDS
from lxdapi.reports.effective import HIDDEN

# The kinds that can be declared, each after those that it may need.
ORDER = (
    *("cluster_member", "cluster_group", "project", "certificate"),
    *("storage_pool", "storage_volume", "volume_snapshot", "storage_bucket", "storage_bucket_key", "server"),
    *("network_address_set", "network_acl", "network_zone", "network_zone_record"),
    *("network", "network_forward", "network_load_balancer", "network_peer"),
    *("profile", "image", "image_alias", "instance", "instance_snapshot"),
)
# What means something else at the top of an SLS.
_RESERVED = ("include", "exclude", "extend")


def read_states(api, kind_name=None, name=None, where=None, left_out=None):
    """
    Return existing objects as SLS data: ``{id: {state: [parameters]}}``, which applied changes nothing.

    kind_name, name
        Of what kind, and which; None: all, in the order in which they can be made.
    where
        ``{"remote": x, "project": x}``: what each state has to be told of them.
    left_out
        A list that is told in words which values are not in it, because they are secret.
    """
    if name is not None and kind_name is None:
        raise InvalidError("a name needs its kind before it")
    objects.require_project(api)
    states, where = {}, where or {}
    for each in [kind_name] if kind_name else _exportable(api, where.get("project")):
        kind = get_kind(each)
        for key, found, member in sorted(_select(api, each, name), key=lambda chosen: (chosen[0], chosen[2] or "")):
            title, declared = _declaration(kind, key, found)
            declared = {**declared, **_complete_config(kind, key, found, declared)}
            declared.update(_members(api, kind, key, found))
            declared.update({"target": member} if member else {})
            _place(states, each, title, {**declared, **_given(kind, where)})
            (left_out if left_out is not None else []).extend(f"{each} {key}: {what}" for what in _secrets(kind, found))
    return states


def _exportable(api, project):
    """Return the kinds of which there can be something: of a project that was asked for only what is its own."""
    kinds = {
        kind_name: KINDS[kind_name] for kind_name in ORDER if not objects.unsupported_reason(api, KINDS[kind_name])
    }
    if project in (None, "default"):
        return list(kinds)
    config = api.get(validation.path("projects/{name}", name=project)).metadata["config"]
    features = {kind_name: kind.project_feature for kind_name, kind in kinds.items() if not kind.of_server}
    return [kind_name for kind_name, feature in features.items() if not feature or config.get(feature) == "true"]


def _secrets(kind, found):
    """Return in words the values of an object that are not exported because they are or hold a secret."""
    fields = [field for field in kind.fields if masking.is_secret(field) and found.get(field)]
    maps = {field: found.get(field) or {} for field in ("config", "properties") if field in kind.fields}
    if "devices" in kind.fields:
        maps.update({f"device {name}": device for name, device in (found.get("devices") or {}).items()})
    keys = [
        f"{place} {key}"
        for place, values in maps.items()
        for key in sorted(values)
        if masking.holds_secret(key, values[key], place.partition(" ")[2])
    ]
    return fields + [each for each in keys if not each.startswith(tuple(f"config {own}" for own in HIDDEN))]


def _given(kind, where):
    return {key: value for key, value in where.items() if value and not (kind.of_server and key == "project")}


def _place(states, kind_name, name, declared):
    """Put a state under its name, or under its kind and name where Salt or another one has that."""
    title = f"{name} in {declared['project']}" if declared.get("project") else name
    while title in states or title in _RESERVED or title.startswith("__"):
        title = f"{kind_name} {title}"
    parameters = declared if title == name else {"name": name, **declared}
    states[title] = {f"lxdapi_{kind_name}.present": [{key: value} for key, value in parameters.items()]}


def _select(api, kind_name, name):
    kind = get_kind(kind_name)
    if kind_name not in ORDER:
        raise InvalidError(f"the kind {kind.label} is nothing that can be declared to be present")
    objects.require(api, kind)
    if name is None:
        # an image that the daemon fetched by itself goes by itself
        everything = listing.list_everything(api, kind) if kind.path else [(kind_name, api.get("").metadata, None)]
        return [_read_again(api, kind, *each) for each in everything if not each[1].get("cached")]
    found = objects.read(api, kind, name)
    if found is None:
        raise InvalidError(f"there is no {kind.label} {name}")
    return [(name, found.metadata, listing.member_of(kind, found.metadata, None))]


def _read_again(api, kind, name, found, member):
    """Return what was listed; of a member's own it is read, for LXD 5.0.2 lists another member's beside it."""
    current = objects.read(api.at(member), kind, name) if member else None
    return (name, current.metadata if current is not None else found, member)


def _declaration(kind, name, found):
    """Return (name, parameters) that declare an object as it is: without what is empty or false."""
    declared = {}
    for field in kind.create_only + kind.create.fields + kind.fields:
        value = _value(kind, field, found.get(field))
        # no profiles at all is something else than profiles that are not declared
        if value not in _NOTHING or (value == [] and FIELDS[field] == "list"):
            declared[field.replace("-", "_")] = value
    return declared.pop("name", name), declared


def _complete_config(kind, name, found, declared):
    """Return the config with a source that no other key keeps, and without what a new object would get."""
    if "config" not in kind.fields:
        return {}
    config = {**_sources(kind, name, found.get("config") or {}), **declared.get("config", {})}
    types = dict.fromkeys((found.get("type") or "", ""))
    keys = [key for each in types for key in kind.create.server_defaults.get(each, ())]
    config.update({key: None for key in keys if key not in (found.get("config") or {})})
    return {"config": config} if config else {}


def _members(api, kind, name, found):
    """Return the parameter ``members`` of what has a part on each member of a cluster, if one has config of its own."""
    parts = per_member.read_parts(api, kind, name, found)
    own = {
        member: {**_sources(kind, name, config), **_config(kind, "config", config)} for member, config in parts.items()
    }
    declared = {member: config for member, config in own.items() if config}
    return {"members": declared} if declared else {}


def _sources(kind, name, config):
    """Return what the daemon can rewrite of a member's part, where no other key keeps it, unless it chose it itself."""
    chosen = (f"/storage-pools/{name}", f"/disks/{name}.img")
    return {key: config[key] for key in kind.create_only_config if key in config and not config[key].endswith(chosen)}


_NOTHING = (None, "", {}, [], False)


def _value(kind, field, value):
    """Return a field's value as it is declared: without what is the daemon's own, and without secrets."""
    if masking.is_secret(field):
        return None
    kind_of_value = "items" if field in kind.items else FIELDS[field]
    if kind_of_value == "time":
        return None if equality.parse_time(value) == diff.NEVER else value
    return _VALUES.get(kind_of_value, lambda _, __, same: same)(kind, field, value)


def _config(kind, field, config):
    config = config or {}
    fixed = kind.create_only_config
    own = {key: value for key, value in config.items() if not key.startswith(HIDDEN) and key not in fixed}
    return _shareable_config({**own, **{key: config[kept] for key, kept in fixed.items() if kept in config}})


def _shareable_config(config, within=""):
    """Return what can be shown: no value that is a secret or holds one."""
    return {key: config[key] for key in sorted(config) if not masking.holds_secret(key, config[key], within)}


def _devices(kind, field, devices):
    return {name: _shareable_config(device, name) for name, device in sorted((devices or {}).items())}


def _items(kind, field, items):
    spec = kind.items[field]
    known = (*spec.identity, *spec.attributes)
    return [{key: item[key] for key in known if item.get(key) not in _NOTHING} for item in items or ()]


def _set(kind, field, found):
    return sorted(found or ())


def _roles(kind, field, found):
    return sorted(set(found or ()) - set(diff.AUTOMATIC_ROLES))


_VALUES = {"devices": _devices, "items": _items, "map": _config, "roles": _roles, "set": _set}


def format_sls(states, left_out=()):
    """
    Return the text of an SLS file with the states, as they are: the first line keeps Jinja out, for which braces
    in a value would be something to compute.

    left_out
        Words for comments at its head.
    """
    head = "#!yaml\n" + "".join(f"# left out, because it is secret: {json.dumps(words)[1:-1]}\n" for words in left_out)
    return head + (yaml_text.dump(states, indented_lists=True) if states else "{}\n")
