"""
Copies of instances, on one daemon or between two, with everything that their origin has.

The daemons omit some fields (description, profiles, ephemeral: see :mod:`lxdapi.instances.sources`), and Incus adds a
local root device. lxdapi repairs these afterwards, and then checks whether anything differs.
"""

from functools import partial

from lxdapi import validation
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.http import retry
from lxdapi.instances import create, partial_creation, power
from lxdapi.instances import transfer as migrate
from lxdapi.model import diff, objects, writes
from lxdapi.model.instance import root_pool
from lxdapi.model.kinds import KINDS
from lxdapi.plan.steps import Step

KIND = KINDS["instance"]
SNAPSHOT = KINDS["instance_snapshot"]
# Marks an instance during its migration to another daemon: see lxdapi.instances.migration.
MIGRATING_KEY = "user.lxdapi.migrating"
_FIELDS = ("architecture", "config", "description", "devices", "ephemeral", "profiles", "type")
_MARK_KEYS = (partial_creation.CREATING_KEY, partial_creation.RESTRICTED_KEY, MIGRATING_KEY)


def read_source(api, name):
    """
    Return the metadata of an instance, or of an instance as its snapshot has it; raises if it does not exist.

    name
        ``INSTANCE`` or ``INSTANCE/SNAPSHOT``.
    """
    instance, _, snapshot = name.partition("/") if isinstance(name, str) else (name, "", "")
    result = objects.read(api, KIND, instance)
    snapshot_result = objects.read(api, SNAPSHOT, name) if result and snapshot else None
    if result is None or (snapshot and snapshot_result is None):
        reason = objects.missing_project_reason(api)
        raise InvalidError(
            reason or f"{(SNAPSHOT if snapshot else KIND).label} {name} does not exist on {api.address_text}"
        )
    partial_creation.require_created(api, instance, result)
    return {**result.metadata, **(snapshot_result.metadata if snapshot_result else {})}


def fields_for_copy(metadata, pool=None, moved=False):
    """
    Return the fields that a copy of this instance gets.

    metadata
        The metadata of the instance.
    pool
        The storage pool of its root disk. Default: the pool of the instance, or of its profiles on the target.
    moved
        See :func:`lxdapi.instances.transfer.portable_config`.
    """
    fields = {field: metadata[field] for field in _FIELDS if field in metadata}
    fields["config"] = {
        key: each for key, each in migrate.portable_config(metadata["config"], moved).items() if key not in _MARK_KEYS
    }
    return {**fields, "devices": {**metadata["devices"], **root_device_on(metadata, pool)}}


def root_device_on(metadata, pool):
    """Return {name: root disk on this storage pool} as a local device of the instance, {} without a pool."""
    if pool is None:
        return {}
    validation.check(KINDS["storage_pool"].rule, "storage pool", pool)
    devices = metadata.get("expanded_devices") or metadata["devices"]
    name = next(iter(_root_device(devices)), "root")
    return {name: {"type": "disk", "path": "/", **devices.get(name, {}), "pool": pool}}


def repair(api, name, fields):
    """Update the copy to exactly these fields; raises if it still differs."""
    path = objects.path_of(KIND, name)
    metadata = api.get(path).metadata
    fields = {**fields, "devices": {**fields["devices"], **_needed_root(api, metadata, fields)}}
    if differences(metadata, fields):
        declared = {field: fields[field] for field in KIND.fields if field in fields}
        declared["config"] = {**dict.fromkeys(_foreign_keys(metadata["config"], fields["config"])), **fields["config"]}
        declared["devices"] = {**dict.fromkeys(set(metadata["devices"]) - set(fields["devices"])), **fields["devices"]}
        writes.update(api, KIND, name, diff.normalize(KIND, declared))
        metadata = api.get(path).metadata
    remaining = differences(metadata, fields)
    if remaining:
        raise LxdapiError(f"the copy {name} on {api.address_text} differs from its origin in {', '.join(remaining)}")


def _root_device(devices):
    """Return {name: device} of the root disk in devices, {} for none."""
    return {name: each for name, each in devices.items() if each and each.get("path") == "/"}


def _needed_root(api, metadata, fields):
    """Return the root disk that the daemon added to the copy, {} if the profiles have one on the same pool."""
    root = _root_device(metadata["devices"])
    if not root or _root_device(fields["devices"]):
        return {}
    inherited = {}
    for profile in metadata["profiles"]:
        result = objects.read(api, KINDS["profile"], profile)
        inherited.update(_root_device(result.metadata["devices"]) if result else {})
    pools = [[each.get("pool") for each in devices.values()] for devices in (root, inherited)]
    return {} if pools[0] == pools[1] else root


def _foreign_keys(config, source_config):
    """Return the config keys of the copy that its origin lacks, except the daemon's own and lxdapi's marks."""
    return [
        key for key in config if key not in source_config and key not in _MARK_KEYS and not key.startswith("volatile.")
    ]


def differences(metadata, fields):
    """Return the names of all fields, config keys and devices in which an instance differs from these fields."""
    plain = [field for field in fields if field not in ("config", "devices") and metadata.get(field) != fields[field]]
    config = {key for key, value in fields["config"].items() if metadata["config"].get(key) != value}
    config |= set(_foreign_keys(metadata["config"], fields["config"]))
    devices = {
        name
        for name in {**metadata["devices"], **fields["devices"]}
        if metadata["devices"].get(name) != fields["devices"].get(name)
    }
    return [*plain, *(f"config {key}" for key in sorted(config)), *(f"device {name}" for name in sorted(devices))]


def list_snapshots(api, name):
    """Return [(name, creation time to the second)] of an instance's snapshots, oldest first."""
    path = validation.path("instances/{instance}/snapshots", instance=name)
    snapshots = api.get(path, params={"recursion": 1}).metadata or []
    times = [(each["created_at"][:19], each["name"].rpartition("/")[2]) for each in snapshots]
    return [(snapshot, created_at) for created_at, snapshot in sorted(times)]


def plan_copy(
    api, name, target_api, new, pool=None, with_snapshots=True, refresh=False, target=None, mode=None, timeout=None
) -> list[Step]:
    """
    Return the steps to a copy of an instance.

    api, name
        The API of the origin, and its name: ``INSTANCE`` or ``INSTANCE/SNAPSHOT``.
    target_api, new
        The API for the copy, of the same or another daemon, and the name of the copy.
    pool
        The storage pool of its root disk.
    with_snapshots
        False: copy without the snapshots.
    refresh
        True: update an existing copy, and transfer only the differences. False: an existing copy is an error.
    target
        The cluster member for the copy.
    mode
        See :func:`lxdapi.instances.transfer.choose_route`, which applies only to another daemon.
    timeout
        Seconds. Default: 3600.
    """
    refresh, with_snapshots = validation.truth("refresh", refresh), validation.truth("snapshots", with_snapshots)
    timeout_seconds = migrate.SECONDS if timeout is None else validation.parse_seconds(timeout)
    objects.path_of(KIND, new)
    metadata = read_source(api, name)
    same_daemon = migrate.is_same_daemon(api, target_api)
    if same_daemon and (target_api.project or "default", new) == (api.project or "default", name):
        raise InvalidError("the copy is its own origin: declare another name, project or remote")
    if same_daemon and mode:
        raise InvalidError("mode: both remotes are the same daemon; omit mode")
    route = None if same_daemon else migrate.choose_route(api, target_api, mode)
    if not same_daemon and with_snapshots and "/" not in name:
        migrate.require_transferable_snapshots(api, target_api, name)
    fields = fields_for_copy(metadata, pool)
    existing = partial_creation.wait_until_created(target_api, new)
    options = {"instance_only": not with_snapshots, "refresh": existing is not None}
    if existing is not None:
        _require_copy_target(target_api, new, existing, refresh, pool)
    create.require_target(target_api, target)
    transfer = migrate.Transfer(api, name, target_api, new, route, options, timeout_seconds, target)
    changes = {"refreshed" if existing else "created": new}
    changes.update({"mode": str(route)} if route else {})
    apply, missing = (
        partial(_copy, transfer, metadata, existing, fields),
        partial(create.missing_prerequisites, target_api, fields),
    )
    return [Step("refreshed" if existing else "created", changes, apply, missing=missing)]


def _require_copy_target(target_api, new, existing, refresh, pool):
    if not refresh:
        raise InvalidError(f"{objects.path_of(KIND, new)} already exists; set refresh: true to update it")
    partial_creation.require_created(target_api, new, existing)
    if power.status(existing) != "Stopped":
        raise InvalidError(f"the copy is {power.status(existing)}: only a stopped copy can be refreshed")
    if pool not in (None, root_pool(existing.metadata)):
        raise InvalidError("pool: a refresh does not move the copy to another storage pool; use lxdapi_instance.move")


def _copy(transfer, metadata, existing, fields):
    require_prerequisites(transfer.target_api, fields)
    if existing is not None:
        fields = {**fields, "devices": _keep_root_pool(existing.metadata, fields["devices"])}
    if transfer.route is not None:
        run_transfer(transfer, fields)
    elif existing is not None:
        # LXD and Incus accept the fields of a refresh, but ignore them
        retry.write_verified(transfer.target_api, lambda: _create_copy(transfer, fields), lambda: None)
    else:
        _copy_local(transfer, metadata, fields)
    repair(transfer.target_api, transfer.new, fields)


def _keep_root_pool(existing, devices):
    """Return the devices with the root disk on the storage pool where the existing copy has it."""
    pool = root_pool(existing)
    return {
        name: {**each, "pool": pool} if pool and name in _root_device(devices) else each
        for name, each in devices.items()
    }


def require_prerequisites(target_api, fields):
    """
    Raise if something that the copy refers to does not exist on the target.

    The daemons check only the profiles: instead of a missing storage pool they use another one (all three).
    """
    reason = create.missing_prerequisites(target_api, fields)
    if reason:
        raise InvalidError(f"nothing was changed: {reason}")


def run_transfer(transfer, fields):
    """Transfer the instance: create it at the target, marked until it is complete, or refresh an existing one."""
    if transfer.options.get("refresh"):
        retry.write_verified(transfer.target_api, lambda: transfer.run(fields), lambda: None)
    else:
        create.create_verified(transfer.target_api, transfer.new, fields, transfer.run)


def _copy_local(transfer, metadata, copied):
    # the daemon copies config and devices of the origin by itself
    fields_sent = {key: copied[key] for key in copied if key not in ("config", "devices")}
    fields_sent["devices"] = {
        key: each for key, each in copied["devices"].items() if metadata["devices"].get(key) != each
    }
    create.create_verified(
        transfer.target_api, transfer.new, fields_sent, lambda fields: _create_copy(transfer, fields)
    )


def _create_copy(transfer, fields):
    """Request a copy on the same daemon and wait until it exists."""
    options = {option: True for option, value in transfer.options.items() if value}
    source = {"type": "copy", "source": transfer.name, "project": transfer.source_api.project or "default", **options}
    member_api = transfer.target_api.at(transfer.target) if transfer.target else transfer.target_api
    writes.create(member_api, KIND, transfer.new, fields, transfer.seconds, {"source": source})
