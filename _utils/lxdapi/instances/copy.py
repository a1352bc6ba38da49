"""
Copies of instances, on one daemon and on another one, that have all that their origin has.

What the daemons leave out (description, profiles, ephemeral: see :mod:`lxdapi.instances.sources`) or put in (a root
device of the
instance's own, Incus) is put right afterwards, and then it is looked whether anything differs.
"""

from functools import partial

from lxdapi import validation
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.http import retry
from lxdapi.instances import create, partial_creation, power
from lxdapi.instances import transfer as migrate
from lxdapi.model import diff, objects, writes
from lxdapi.model.kinds import KINDS
from lxdapi.plan.steps import Step

KIND = KINDS["instance"]
SNAPSHOT = KINDS["instance_snapshot"]
# A mark of a move to another daemon that is under way: see lxdapi_migrated.
MIGRATING = "user.lxdapi.migrating"
_FIELDS = ("architecture", "config", "description", "devices", "ephemeral", "profiles", "type")
_OWN = (partial_creation.MARK, MIGRATING)


def read_source(api, name):
    """
    Return the metadata of an instance, or of a snapshot in what it has of its own; raises if there is none.

    name
        ``INSTANCE`` or ``INSTANCE/SNAPSHOT``.
    """
    instance, _, snapshot = name.partition("/") if isinstance(name, str) else (name, "", "")
    found = objects.read(api, KIND, instance)
    part = objects.read(api, SNAPSHOT, name) if found and snapshot else None
    if found is None or (snapshot and part is None):
        words = objects.missing_project_reason(api)
        raise InvalidError(words or f"there is no {(SNAPSHOT if snapshot else KIND).label} {name} on {api.endpoint}")
    partial_creation.require_created(api, instance, found)
    return {**found.metadata, **(part.metadata if part else {})}


def copied_fields(found, pool=None, moved=False):
    """
    Return what a copy of this instance is to have.

    found
        The metadata of the instance.
    pool
        The storage pool of its root disk; None: as the instance, or its profiles there, say.
    moved
        See :func:`lxdapi.instances.transfer.kept_config`.
    """
    wanted = {field: found[field] for field in _FIELDS if field in found}
    wanted["config"] = {
        key: each for key, each in migrate.kept_config(found["config"], moved).items() if key not in _OWN
    }
    return {**wanted, "devices": {**found["devices"], **root_device_on(found, pool)}}


def root_device_on(found, pool):
    """Return {name: the root disk on this storage pool}, as a device of the instance's own; {} without a pool."""
    if pool is None:
        return {}
    validation.check(KINDS["storage_pool"].rule, "storage pool", pool)
    devices = found.get("expanded_devices") or found["devices"]
    name = next(iter(_root(devices)), "root")
    return {name: {"type": "disk", "path": "/", **devices.get(name, {}), "pool": pool}}


def repair(api, name, wanted):
    """Make the copy have these fields and nothing else, where it differs; raises if it then still does."""
    path = objects.path_of(KIND, name)
    found = api.get(path).metadata
    wanted = {**wanted, "devices": {**wanted["devices"], **_needed_root(api, found, wanted)}}
    if differences(found, wanted):
        whole = {field: wanted[field] for field in KIND.fields if field in wanted}
        whole["config"] = {**dict.fromkeys(_foreign_keys(found["config"], wanted["config"])), **wanted["config"]}
        whole["devices"] = {**dict.fromkeys(set(found["devices"]) - set(wanted["devices"])), **wanted["devices"]}
        writes.update(api, KIND, name, diff.normalize(KIND, whole))
        found = api.get(path).metadata
    left = differences(found, wanted)
    if left:
        raise LxdapiError(f"the copy {name} on {api.endpoint} differs from its origin in {', '.join(left)}")


def _root(devices):
    """Return {name: device} of the root disk in devices, {} for none."""
    return {name: each for name, each in devices.items() if each and each.get("path") == "/"}


def _needed_root(api, found, wanted):
    """Return the root disk that the daemon gave the copy, where the profiles have none on that storage pool."""
    own = _root(found["devices"])
    if not own or _root(wanted["devices"]):
        return {}
    inherited = {}
    for profile in found["profiles"]:
        given = objects.read(api, KINDS["profile"], profile)
        inherited.update(_root(given.metadata["devices"]) if given else {})
    pools = [[each.get("pool") for each in devices.values()] for devices in (own, inherited)]
    return {} if pools[0] == pools[1] else own


def _foreign_keys(config, wanted):
    """Return the keys of the copy's config that its origin does not have, the daemon's own and our marks apart."""
    return [key for key in config if key not in wanted and key not in _OWN and not key.startswith("volatile.")]


def differences(found, wanted):
    """Return in words where an instance differs from the fields that it is to have, nothing left out."""
    plain = [field for field in wanted if field not in ("config", "devices") and found.get(field) != wanted[field]]
    config = {key for key, value in wanted["config"].items() if found["config"].get(key) != value}
    config |= set(_foreign_keys(found["config"], wanted["config"]))
    devices = {
        name
        for name in {**found["devices"], **wanted["devices"]}
        if found["devices"].get(name) != wanted["devices"].get(name)
    }
    return [*plain, *(f"config {key}" for key in sorted(config)), *(f"device {name}" for name in sorted(devices))]


def list_snapshots(api, name):
    """Return [(name, second in which it was made)] of an instance's snapshots, in the order in which they were made."""
    path = validation.path("instances/{instance}/snapshots", instance=name)
    found = api.get(path, params={"recursion": 1}).metadata or []
    times = [(each["created_at"][:19], each["name"].rpartition("/")[2]) for each in found]
    return [(snapshot, when) for when, snapshot in sorted(times)]


def plan_copy(
    api, name, there, new, pool=None, with_snapshots=True, refresh=False, target=None, mode=None, timeout=None
):
    """
    Return the steps to a copy of an instance.

    api, name
        Where it is, and what: ``INSTANCE`` or ``INSTANCE/SNAPSHOT``.
    there, new
        Where the copy is to be, on the same daemon or another one, and its name.
    pool
        The storage pool of its root disk.
    with_snapshots
        False: it has none.
    refresh
        True: one that exists is brought up to date, of which only what differs is transferred. False: it is refused.
    target
        The member of the cluster that it is made on.
    mode
        See :func:`lxdapi.instances.transfer.choose_route`, which is asked only for another daemon.
    timeout
        Seconds; 3600.
    """
    refresh, with_snapshots = validation.truth("refresh", refresh), validation.truth("snapshots", with_snapshots)
    seconds = migrate.SECONDS if timeout is None else validation.parse_seconds(timeout)
    objects.path_of(KIND, new)
    found = read_source(api, name)
    here = migrate.is_same(api, there)
    if here and (there.project or "default", new) == (api.project or "default", name):
        raise InvalidError("a copy needs another name, project or remote than its origin")
    if here and mode:
        raise InvalidError("mode: both are the same daemon")
    way = None if here else migrate.choose_route(api, there, mode)
    if not here and with_snapshots and "/" not in name:
        migrate.require_transferable_snapshots(api, there, name)
    wanted = copied_fields(found, pool)
    existing = partial_creation.wait_until_created(there, new)
    options = {"instance_only": not with_snapshots, "refresh": existing is not None}
    if existing is not None:
        _require_copy_target(there, new, existing, refresh, pool)
    create.require_target(there, target)
    transfer = migrate.Transfer(api, name, there, new, way, options, seconds, target)
    changes = {"refreshed" if existing else "created": new}
    changes.update({"mode": str(way)} if way else {})
    apply, missing = (
        partial(_copy, transfer, found, existing, wanted),
        partial(create.missing_prerequisites, there, wanted),
    )
    return [Step("refreshed" if existing else "created", changes, apply, missing=missing)]


def _require_copy_target(there, new, existing, refresh, pool):
    if not refresh:
        raise InvalidError(f"{objects.path_of(KIND, new)} exists already; refresh: True brings it up to date")
    partial_creation.require_created(there, new, existing)
    if power.status(existing) != "Stopped":
        raise InvalidError(f"it is {power.status(existing)}: only one that is stopped can be refreshed")
    if pool not in (None, *(each.get("pool") for each in _root(existing.metadata["expanded_devices"]).values())):
        raise InvalidError("pool: a copy that exists stays on its storage pool; lxdapi_instance.move moves it")


def _copy(transfer, found, existing, wanted):
    require_prerequisites(transfer.there, wanted)
    if existing is not None:
        wanted = {**wanted, "devices": _in_place(existing.metadata, wanted["devices"])}
    if transfer.way is not None:
        run_transfer(transfer, wanted)
    elif existing is not None:
        # LXD and Incus take the fields and leave them as they were
        retry.write_verified(transfer.there, lambda: _create_copy(transfer, wanted), lambda: None)
    else:
        _copy_local(transfer, found, wanted)
    repair(transfer.there, transfer.new, wanted)


def _in_place(existing, devices):
    """Return the devices with the root disk on the storage pool that the existing copy is on: it stays there."""
    pool = next((each.get("pool") for each in _root(existing["expanded_devices"]).values()), None)
    return {name: {**each, "pool": pool} if pool and name in _root(devices) else each for name, each in devices.items()}


def require_prerequisites(there, wanted):
    """
    Raise if something that the copy refers to is not there.

    The daemons check the profiles only: for a storage pool that does not exist they take another one (all three).
    """
    words = create.missing_prerequisites(there, wanted)
    if words:
        raise InvalidError(f"nothing was done: {words}")


def run_transfer(transfer, wanted):
    """Do a transfer: the instance is made there, with a mark until it is whole, or an existing one refreshed."""
    if transfer.options.get("refresh"):
        retry.write_verified(transfer.there, lambda: transfer.run(wanted), lambda: None)
    else:
        create.create_verified(transfer.there, transfer.new, wanted, transfer.run)


def _copy_local(transfer, found, wanted):
    # config and devices of the origin the daemon copies by itself
    sent = {key: wanted[key] for key in wanted if key not in ("config", "devices")}
    sent["devices"] = {key: each for key, each in wanted["devices"].items() if found["devices"].get(key) != each}
    create.create_verified(transfer.there, transfer.new, sent, lambda fields: _create_copy(transfer, fields))


def _create_copy(transfer, fields):
    """Send the request for a copy on the same daemon, and wait for the end."""
    words = {word: True for word, value in transfer.options.items() if value}
    source = {"type": "copy", "source": transfer.name, "project": transfer.source.project or "default", **words}
    there = transfer.there.at(transfer.target) if transfer.target else transfer.there
    writes.create(there, KIND, transfer.new, fields, transfer.seconds, {"source": source})
