"""
What is there: lists of every kind, existing objects as SLS, and where an effective value comes from.
"""

import json
from dataclasses import replace

from lxdapi import masking as secrets
from lxdapi import validation as names
from lxdapi import yaml_text
from lxdapi.cluster import per_member as clusters
from lxdapi.errors import APIException, APINotFoundException, InvalidError
from lxdapi.model import diff
from lxdapi.model import equality as meaning
from lxdapi.model.kinds import KINDS, kind_of
from lxdapi.model.schema import FIELDS
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan

# Of every kind: what the daemon keeps in a config for itself, and what we do.
_DAEMONS = ("volatile.", "image.", "user.lxdapi.")
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


def listed(api, kind_name, parent=None):
    """
    Return ``{name: object}`` of every object of a kind.

    parent
        Only of those in it: ``lxdbr0`` for a network's forwards. None: in all that there are, with a
        request for each.
    """
    kind = kind_of(kind_name)
    converge.require(api, kind)
    if not kind.of_server:
        converge.require_project(api)
    if parent and not kind.parents:
        raise InvalidError(f"parent: the kind {kind.label} is in nothing else")
    if not kind.path:
        return {kind_name: api.get("").metadata}
    return {name: found for name, found, _ in _everything(api, kind, parent)}


def found(api, kind_name, name):
    """Return the object of that name, None if there is none; raises if there is no such project."""
    kind = kind_of(kind_name)
    current = converge.read(api, kind, name)
    if current is None:
        if not kind.of_server:
            converge.require_project(api)
        return None
    return current.metadata


def _everything(api, kind, parent=None):
    """
    Return (name, object, member of the cluster that it is on or None) of all of a kind: of volumes on local
    pools there may be several of one name.
    """
    if not kind.parents:
        return _collection(api, kind, "", None)
    above = [(parent, None, None)] if parent else _everything(api, kind_of(kind.parents[-1]))
    return [each for name, _, member in above for each in _within(api, kind, name, bool(parent), member)]


def _within(api, kind, parent, strict, member):
    """Return the objects in a parent; none, unless asked for by name, where it cannot have any."""
    try:
        return _collection(api, kind, parent, member)
    except APINotFoundException:
        if strict:
            raise
    except APIException as exc:
        # 400: a macvlan network has no forwards, a bridge no peers
        if strict or exc.result.response.status_code != 400:
            raise
    return []


def _collection(api, kind, parent, member):
    parts = converge.parts_of(kind, f"{parent}/{_ANY[kind.rule]}") if parent else {}
    params = {"recursion": 1, **({"target": member} if member else {})}
    found = api.get(names.path(kind.collection, **parts), params=params).metadata or ()
    if kind.cluster.local and kind.listed_with_parent and api.clustered:
        found = _of_the_member(api.at(member) if member else api, kind, parent, found)
    before = f"{parent}/" if parent else ""
    return [(before + _own(kind, each), each, _member(kind, each, member)) for each in found if _counts(kind, each)]


def _of_the_member(api, kind, parent, found):
    """
    Return a volume's snapshots, as they are read one by one: LXD 5.0.2 lists those of the member that is asked,
    whatever the target; and those of all members beside the volumes.
    """
    above, volume = kind_of(kind.parents[-1]), parent.rpartition("/")[2]
    path = names.path(above.collection, **converge.parts_of(above, parent))
    beside = api.get(path, params={"recursion": 1}).metadata or ()
    beside = [each for each in beside if each["name"].rpartition("/")[0] == volume]
    beside = [each for each in beside if api.target in (None, each["location"])]
    known = sorted({_own(kind, each) for each in (*found, *beside)})
    there = [converge.read(api, kind, f"{parent}/{name}") for name in known]
    return [each.metadata for each in there if each is not None]


def _member(kind, found, parents):
    """Return the member of the cluster that an object is on, where the state can be told."""
    here = found.get("location") if kind.cluster.local else None
    return (here if here not in (None, "", "none") else None) or parents


# A name that a rule takes, where only the collection is asked for.
_ANY = {
    "address": "::",
    "instance": "a",
    "plain": "a",
    "snapshot": "a",
    "token": "a",
    "any": "a",
    "fingerprint": "0" * 64,
}


def _own(kind, found):
    name = found[kind.key or "fingerprint"]
    return name.rpartition("/")[2] if kind.listed_with_parent else name


def _counts(kind, found):
    """
    Return True for an object of the kind: interfaces of the machine stand beside networks, and snapshots
    (``volume/snapshot``) beside volumes on LXD 5.0.2 and Incus 6.0.4.
    """
    return found.get("managed", True) and not (kind.parents and "/" in _own(kind, found))


def purged(api, kind_name, parent, keep):
    """
    Return the steps that leave nothing in a parent but what is named.

    keep
        Names, without the parent's.
    """
    kind = kind_of(kind_name)
    if not isinstance(keep, (list, tuple)):
        raise InvalidError("keep: a list of names is needed")
    kept = {converge.parts_of(kind, f"{parent}/{name}")["name"] for name in keep}
    words = converge.lacks(api, kind)
    if words or converge.read(api, kind_of(kind.parents[-1]), parent) is None:
        return Plan(summary="absent").with_note(words)
    gone = [name for name in listed(api, kind_name, parent) if converge.parts_of(kind, name)["name"] not in kept]
    steps = [step for name in gone for step in converge.absent(api, kind_name, name)]
    return [_of_another(step, step.changes["deleted"]) for step in steps]


def _of_another(step, name):
    """Return the deletion of an object as a step of what it was in."""
    return replace(step, verb=f"rid of {name}", changes={name: step.changes})


def exported(api, kind_name=None, name=None, where=None, left_out=None):
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
    converge.require_project(api)
    states, where = {}, where or {}
    for each in [kind_name] if kind_name else _exportable(api, where.get("project")):
        kind = kind_of(each)
        for key, found, member in sorted(_chosen(api, each, name), key=lambda chosen: (chosen[0], chosen[2] or "")):
            title, declared = _declared(kind, key, found)
            declared = {**declared, **_completed(kind, key, found, declared)}
            declared.update(_members(api, kind, key, found))
            declared.update({"target": member} if member else {})
            _place(states, each, title, {**declared, **_given(kind, where)})
            (left_out if left_out is not None else []).extend(f"{each} {key}: {what}" for what in _secrets(kind, found))
    return states


def _exportable(api, project):
    """Return the kinds of which there can be something: of a project that was asked for only what is its own."""
    kinds = {kind_name: KINDS[kind_name] for kind_name in ORDER if not converge.lacks(api, KINDS[kind_name])}
    if project in (None, "default"):
        return list(kinds)
    config = api.get(names.path("projects/{name}", name=project)).metadata["config"]
    features = {kind_name: kind.project_feature for kind_name, kind in kinds.items() if not kind.of_server}
    return [kind_name for kind_name, feature in features.items() if not feature or config.get(feature) == "true"]


def _secrets(kind, found):
    """Return in words the values of an object that are not exported because they are or hold a secret."""
    fields = [field for field in kind.fields if secrets.is_secret(field) and found.get(field)]
    maps = {field: found.get(field) or {} for field in ("config", "properties") if field in kind.fields}
    if "devices" in kind.fields:
        maps.update({f"device {name}": device for name, device in (found.get("devices") or {}).items()})
    keys = [
        f"{place} {key}"
        for place, values in maps.items()
        for key in sorted(values)
        if secrets.holds_secret(key, values[key], place.partition(" ")[2])
    ]
    return fields + [each for each in keys if not each.startswith(tuple(f"config {own}" for own in _DAEMONS))]


def _given(kind, where):
    return {key: value for key, value in where.items() if value and not (kind.of_server and key == "project")}


def _place(states, kind_name, name, declared):
    """Put a state under its name, or under its kind and name where Salt or another one has that."""
    title = f"{name} in {declared['project']}" if declared.get("project") else name
    while title in states or title in _RESERVED or title.startswith("__"):
        title = f"{kind_name} {title}"
    parameters = declared if title == name else {"name": name, **declared}
    states[title] = {f"lxdapi_{kind_name}.present": [{key: value} for key, value in parameters.items()]}


def _chosen(api, kind_name, name):
    kind = kind_of(kind_name)
    if kind_name not in ORDER:
        raise InvalidError(f"the kind {kind.label} is nothing that can be declared to be present")
    converge.require(api, kind)
    if name is None:
        # an image that the daemon fetched by itself goes by itself
        everything = _everything(api, kind) if kind.path else [(kind_name, api.get("").metadata, None)]
        return [_read_again(api, kind, *each) for each in everything if not each[1].get("cached")]
    found = converge.read(api, kind, name)
    if found is None:
        raise InvalidError(f"there is no {kind.label} {name}")
    return [(name, found.metadata, _member(kind, found.metadata, None))]


def _read_again(api, kind, name, found, member):
    """Return what was listed; of a member's own it is read, for LXD 5.0.2 lists another member's beside it."""
    current = converge.read(api.at(member), kind, name) if member else None
    return (name, current.metadata if current is not None else found, member)


def _declared(kind, name, found):
    """Return (name, parameters) that declare an object as it is: without what is empty or false."""
    declared = {}
    for field in kind.create_only + kind.create.fields + kind.fields:
        value = _value(kind, field, found.get(field))
        # no profiles at all is something else than profiles that are not declared
        if value not in _NOTHING or (value == [] and FIELDS[field] == "list"):
            declared[field.replace("-", "_")] = value
    return declared.pop("name", name), declared


def _completed(kind, name, found, declared):
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
    parts = clusters.parts(api, kind, name, found)
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
    if secrets.is_secret(field):
        return None
    kind_of_value = "items" if field in kind.items else FIELDS[field]
    if kind_of_value == "time":
        return None if meaning.moment(value) == diff.NEVER else value
    return _VALUES.get(kind_of_value, lambda _, __, same: same)(kind, field, value)


def _config(kind, field, config):
    config = config or {}
    fixed = kind.create_only_config
    own = {key: value for key, value in config.items() if not key.startswith(_DAEMONS) and key not in fixed}
    return _shown({**own, **{key: config[kept] for key, kept in fixed.items() if kept in config}})


def _shown(config, within=""):
    """Return what can be shown: no value that is a secret or holds one."""
    return {key: config[key] for key in sorted(config) if not secrets.holds_secret(key, config[key], within)}


def _devices(kind, field, devices):
    return {name: _shown(device, name) for name, device in sorted((devices or {}).items())}


def _items(kind, field, items):
    spec = kind.items[field]
    known = (*spec.identity, *spec.attributes)
    return [{key: item[key] for key in known if item.get(key) not in _NOTHING} for item in items or ()]


def _set(kind, field, found):
    return sorted(found or ())


def _roles(kind, field, found):
    return sorted(set(found or ()) - set(diff.AUTOMATIC_ROLES))


_VALUES = {"devices": _devices, "items": _items, "map": _config, "roles": _roles, "set": _set}


def sls(states, left_out=()):
    """
    Return the text of an SLS file with the states, as they are: the first line keeps Jinja out, for which braces
    in a value would be something to compute.

    left_out
        Words for comments at its head.
    """
    head = "#!yaml\n" + "".join(f"# left out, because it is secret: {json.dumps(words)[1:-1]}\n" for words in left_out)
    return head + (yaml_text.dump(states, indented_lists=True) if states else "{}\n")


def effective(api, name):
    """
    Return each config key and device that is in effect for an instance, and where it comes from.

    ``{"config": {key: {"value": x, "origin": "profile web"}}, "devices": {...}}``; the origin is
    ``instance`` or the last of its profiles that has it, as the daemon applies them in order.
    """
    converge.require_project(api)
    found = converge.read(api, KINDS["instance"], name)
    if found is None:
        raise InvalidError(f"there is no instance {name}")
    profiles = {each["name"]: each for each in api.get("profiles", params={"recursion": 1}).metadata}
    layers = [(f"profile {each}", profiles[each]) for each in found.metadata["profiles"] or ()]
    layers.append(("instance", found.metadata))
    return {field: _layered(field, layers) for field in ("config", "devices")}


def _layered(field, layers):
    values = {}
    for origin, layer in layers:
        for key, value in (layer.get(field) or {}).items():
            if field == "devices" or not key.startswith(_DAEMONS):
                values[key] = {"value": _masked(key, value), "origin": origin}
    return dict(sorted(values.items()))


def _masked(key, value):
    if isinstance(value, dict):
        return {inner: secrets.mask_value(inner, text, key) for inner, text in value.items()}
    return secrets.mask_value(key, value)
