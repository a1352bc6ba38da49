"""
Detects that the image of an instance's source has changed, and rebuilds the instance from it.
"""

from functools import partial

from lxdapi import validation
from lxdapi.errors import APINotFoundException, InvalidError
from lxdapi.http import operations, retry
from lxdapi.images import servers
from lxdapi.instances import partial_creation, power, sources
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan.steps import Step

KIND = KINDS["instance"]
EXTENSION = "instances_rebuild"
REBUILD_SECONDS = 3600


def plan_image_check(
    api, name, result, source, image_changed="ignore", force=False, timeout=None
) -> tuple[list[Step], str]:
    """
    Return (steps, note) for an existing instance whose image may have changed.

    result
        The result of its GET.
    source
        The result of :func:`lxdapi.instances.sources.parse_source`.
    image_changed
        ``ignore``: no check. ``report``: the note names the current image of the source. ``rebuild``: the steps rebuild
        the instance from it, and keep its config, devices and profiles.
    force, timeout
        See :func:`plan_rebuild`.
    """
    if image_changed == "ignore":
        return [], ""
    source = servers.resolve(api, source)
    new = resolve_source(api, source, result.metadata["type"])[0]
    old = result.metadata["config"].get("volatile.base_image")
    if new is None or new == old:
        return [], ""
    if image_changed == "report":
        return [], f"its image is {old or '(none)'}, the current image of its source {new} (image_changed: rebuild)"
    return plan_rebuild(api, name, source, force, timeout, result), ""


def resolve_source(api, source, instance_type):
    """
    Return (current fingerprint of a source's image, the source of exactly this image). The fingerprint of another
    source and of a missing local image is None.
    """
    if source["type"] != "image":
        return None, source
    if source.get("server"):
        # only an image server needs it
        from lxdapi.images import remote

        remote_source = {key: value for key, value in source.items() if key in remote.KEYS}
        found = remote.find_newest(api, remote.parse_source({"image_type": instance_type, **remote_source}))
        return found.fingerprint, _pin(source, found.key, found.value)
    new = _find_local(api, source)
    return new, source if new is None else _pin(source, "fingerprint", new)


def _pin(source, key, value):
    # for an alias, the daemon could use an older image, which it caches for an hour
    return {**{name: each for name, each in source.items() if name not in ("alias", "fingerprint")}, key: value}


def _find_local(api, source):
    """Return the fingerprint of an image of this daemon, None if it does not exist."""
    needed = sources.needed_images(source)
    if needed:
        kind_name, image = needed[0]
        image_result = objects.read(api, KINDS[kind_name], image)
        return None if image_result is None else image_result.metadata.get("target", image)
    try:
        return sources.resolve_alias(api, source).get("fingerprint")
    except APINotFoundException:
        return None


def plan_rebuild(api, name, source, force=False, timeout=None, result=None) -> list[Step]:
    """
    Return the step that rebuilds an instance: its root disk is replaced; config, devices, profiles and addresses stay.

    source
        The result of :func:`lxdapi.instances.sources.parse_source`. An image of this daemon must exist.
    force
        True: stop the instance by force if it does not stop in time. Its status is restored afterwards.
    timeout
        Seconds for the rebuild. Default: 3600.
    result
        The result of its GET. Default: read it.

    Raises :class:`InvalidError` if the daemon cannot rebuild: LXD 5.0.2 lacks the API extension instances_rebuild.
    """
    force, timeout = validation.flag("force", force), validation.parse_seconds(timeout)
    result = result or partial_creation.wait_until_created(api, name)
    if result is None:
        raise InvalidError(f"instance {name} does not exist")
    partial_creation.require_created(api, name, result)
    _require_rebuildable(api, name, result)
    source = servers.resolve(api, source)
    if source["type"] not in ("image", "none"):
        raise InvalidError("source: an instance can only be rebuilt from an image, or as an empty one (none)")
    result = power.wait_until_stable(api, name, result)
    status, (new, source) = power.status(result), _require_image(api, source, result.metadata["type"])
    changes = {"image": {"old": result.metadata["config"].get("volatile.base_image"), "new": new}}

    def apply():
        rebuild = partial(_rebuild, api, name, {"source": source}, timeout)
        return power.while_stopped(api, name, rebuild, None, force, changes=changes)

    note = "" if status == "Stopped" else "the instance is stopped for the change and started again"
    return [Step("rebuilt", changes, apply, note)]


def _require_image(api, source, instance_type):
    """Return what :func:`resolve_source` returns; raises if the image does not exist."""
    found = resolve_source(api, source, instance_type)
    if found[0] is None and source["type"] == "image":
        raise InvalidError(f"image {source.get('alias') or source.get('fingerprint')} does not exist")
    return found


def _require_rebuildable(api, name, result):
    """Raise for everything that the daemon would refuse only after the stop."""
    if not api.has(EXTENSION):
        raise InvalidError(
            f"{objects.daemon_of(api)} cannot rebuild an instance: it lacks the API extension {EXTENSION}"
        )
    power.require_not_ephemeral(result, "Stopped")
    # "Cannot remove an instance volume that has snapshots" (Incus 6.0.4)
    snapshots = api.get(objects.path_of(KIND, name) + "/snapshots").metadata
    if snapshots:
        names = ", ".join(path.rpartition("/")[2].partition("?")[0] for path in snapshots[:5])
        raise InvalidError(f"the daemon cannot rebuild an instance with snapshots: delete {names} first")


def _rebuild(api, name, body, timeout):
    """Rebuild the instance and wait until it is done."""
    seconds = REBUILD_SECONDS if timeout is None else timeout
    path = objects.path_of(KIND, name)

    def post():
        api.post(f"{path}/rebuild", json=body).wait(seconds)

    # the outcome of a rebuild whose reply was lost is unknown: wait for it and send it again
    retry.write_verified(api, post, lambda: operations.wait_until_idle(api, path))
