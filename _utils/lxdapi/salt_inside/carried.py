"""
Python and Salt of this machine inside an instance that has no Python of its own.

A container of this machine gets a folder as a read-only disk device, for as long as Salt runs inside. Any other
instance gets a copy.
"""

import fcntl
import hashlib
import logging
import os
from contextlib import contextmanager, suppress

from lxdapi.errors import APIException, APINotFoundException
from lxdapi.files import content, plan, plan_tree
from lxdapi.files.spec import KEEP, FileSpec, TreeSpec
from lxdapi.files.target import Target
from lxdapi.model import objects, writes
from lxdapi.model.kinds import KINDS
from lxdapi.plan import steps
from lxdapi.salt_inside.session import BASE, UnfitError, require_running

log = logging.getLogger(__name__)

KIND = KINDS["instance"]
DEVICE = "lxdapi-salt"
MOUNTS = "/opt/lxdapi"


def device_of(folder):
    """Return (name, mount point) of the device for a folder of this machine; each minion has its own."""
    key = hashlib.sha256(folder.encode()).hexdigest()[:8]
    return f"{DEVICE}-{key}", f"{MOUNTS}/{key}"


@contextmanager
def attach(api, name, folder):
    """
    Attach a folder of this machine to a container, and yield its path inside. It is detached afterwards, unless another
    run needs it.

    A run holds a shared lock while it uses the device, and the last one detaches it. If a run is killed, the next one
    finds the device and uses it.

    Raises :class:`UnfitError` if that is impossible: a virtual machine, a daemon that is elsewhere or does not see the
    folder, a project without disk devices.
    """
    if not api.local:
        raise UnfitError(f"instance {name}: its daemon is not on this machine")
    device, path = device_of(folder)
    with open(_lock_path(api, name, folder), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        _add(api, name, device, {"type": "disk", "source": folder, "path": path, "readonly": "true"})
        try:
            yield path
        finally:
            _detach_if_last(api, name, device, lock)


def _detach_if_last(api, name, device, lock):
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        detach(api, name, device)
    except BlockingIOError:
        pass
    except APIException as exc:
        # the next run removes it; the result of this one counts
        log.warning("lxdapi: the device %s of instance %s was not removed: %s", device, name, exc)


def _lock_path(api, name, folder):
    key = hashlib.sha256(repr((api.endpoint, api.project, name)).encode()).hexdigest()[:16]
    locks = f"{folder}.locks"
    os.makedirs(locks, 0o700, exist_ok=True)
    return os.path.join(locks, key)


def _add(api, name, device, fields):
    result = api.get(objects.path_of(KIND, name))
    if result.metadata["type"] != "container":
        raise UnfitError(f"instance {name} is a virtual machine")
    require_running(name, result)
    if device in result.metadata["devices"]:
        return
    try:
        writes.update(api, KIND, name, {"devices": {device: fields}}, result)
    except APIException as exc:
        raise UnfitError(f"instance {name}: the daemon refused the device {device}: {exc.explain()}") from exc


def detach(api, name, device):
    """Remove the device; the instance may not exist any longer."""
    with suppress(APINotFoundException):
        result = api.get(objects.path_of(KIND, name))
        if device in result.metadata["devices"]:
            writes.update(api, KIND, name, {"devices": {device: None}}, result)


def copy(api, name, folder, bundle_name):
    """
    Copy a bundle to an instance, or what is missing of it.

    folder
        The folder of this machine with the bundle.
    """
    base, path = (Target.parse(lambda: api, name, each) for each in (BASE, copied_path(bundle_name)))
    steps.apply(plan.plan_directory(base, FileSpec.parse("root", "root", "0700", makedirs=True)))
    tree = content.read_tree({}, os.path.join(folder, bundle_name), keep_symlinks=True)
    spec = TreeSpec.parse(FileSpec.parse("root", "root"), KEEP, exclude="__pycache__")
    steps.apply(plan_tree.plan_recurse(path, tree, spec))


def copied_path(bundle_name):
    """Return the path of a copied bundle in an instance."""
    return f"{BASE}/{bundle_name}"
