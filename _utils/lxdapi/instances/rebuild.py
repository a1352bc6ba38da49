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
        What :func:`lxdapi.instances.sources.parse_source` returned.
    image_changed
        ``ignore``: nothing is looked at. ``report``: the note says that it is of another image. ``rebuild``: the steps
        make it anew from the one that the source means now, its config, devices and profiles kept.
    force, timeout
        See :func:`plan_rebuild`.
    """
    if image_changed == "ignore":
        return [], ""
    source = servers.resolve(api, source)
    new, old = (
        resolve_source(api, source, result.metadata["type"]),
        result.metadata["config"].get("volatile.base_image"),
    )
    if new is None or new == old:
        return [], ""
    if image_changed == "report":
        return [], f"it was made of the image {old or '(none)'}; its source is {new} by now (image_changed: rebuild)"
    return plan_rebuild(api, name, source, force, timeout, result), ""


def resolve_source(api, source, instance_type):
    """Return the current fingerprint of a source's image; None for another source or a missing local image."""
    if source["type"] != "image":
        return None
    if source.get("server"):
        # only an image server needs it
        from lxdapi.images import remote

        remote_source = {key: value for key, value in source.items() if key in remote.KEYS}
        return remote.find_newest(api, remote.parse_source({"image_type": instance_type, **remote_source}))
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
        What :func:`lxdapi.instances.sources.parse_source` returned. An image of this daemon has to exist.
    force
        True: one that does not stop in time is stopped by force. It is brought back to its status afterwards.
    timeout
        Seconds for the rebuild; 3600.
    result
        The result of its GET; None: it is read.

    Raises :class:`InvalidError` for a daemon that cannot: LXD 5.0.2 lacks the API extension instances_rebuild.
    """
    force, timeout = validation.truth("force", force or False), validation.parse_seconds(timeout)
    result = result or partial_creation.wait_until_created(api, name)
    if result is None:
        raise InvalidError(f"there is no instance {name}")
    partial_creation.require_created(api, name, result)
    _require_rebuildable(api, name, result)
    source = servers.resolve(api, source)
    if source["type"] not in ("image", "none"):
        raise InvalidError("source: an instance is rebuilt from an image, or empty (null)")
    result = power.wait_until_stable(api, name, result)
    status, new = power.status(result), _required_fingerprint(api, source, result.metadata["type"])
    old = result.metadata["config"].get("volatile.base_image")
    body = {"source": source if new is None else {**source, "fingerprint": new}}
    if new is not None:
        # of an alias the daemon could take an older image, which it remembers for an hour
        body["source"].pop("alias", None)

    changes = {"image": {"old": old, "new": new}}

    def apply():
        rebuild = partial(_rebuild, api, name, body, timeout)
        return power.while_stopped(api, name, rebuild, None, force, changes=changes)

    note = "" if status == "Stopped" else "it is stopped for that and started again"
    return [Step("rebuilt", changes, apply, note)]


def _required_fingerprint(api, source, instance_type):
    """Return the fingerprint of a source's image, None for an empty source; raises if the image does not exist."""
    if source["type"] == "none":
        return None
    new = resolve_source(api, source, instance_type)
    if new is None:
        raise InvalidError(f"there is no image {source.get('alias') or source.get('fingerprint')}")
    return new


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
        raise InvalidError(f"an instance with snapshots cannot be rebuilt: it has {names}")


def _rebuild(api, name, body, timeout):
    """Rebuild the instance and wait until it is done."""
    seconds = REBUILD_SECONDS if timeout is None else timeout
    path = objects.path_of(KIND, name)

    def post():
        api.post(f"{path}/rebuild", json=body).wait(seconds)

    # whether one whose answer was lost came to its end, nobody can tell: it is awaited and sent again
    retry.write_verified(api, post, lambda: operations.wait_until_idle(api, path))
