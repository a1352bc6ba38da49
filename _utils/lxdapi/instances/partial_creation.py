"""
Partial creations: instances that are still being created, or whose creation never ended because the daemon died.

A daemon shows such an instance as ``Stopped``, like any other. It lacks ``volatile.apply_template``, which a daemon
writes at the end of a creation, and the keys that replace it at the first start (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2;
images, copies, empty instances). These keys can also be missing from a complete instance: an edit of a profile writes
back the config of its instances as the daemon read it some moments before (all three), and a virtual machine whose
first start failed has lost ``volatile.apply_template`` (LXD 5.0.2, Incus 6.0.4). So an instance that looks partial may
hold data.

Its root file system shows whether it does. A daemon creates the link to the root file system last, after filling it.
Without the link, nobody can read or write a file in the instance or start it (all three, whenever the daemon dies, and
even if the process that unpacks the image continues to its end). So an instance with a readable root is complete, and
an instance without the link was never complete: lxdapi replaces it if lxdapi created it. See :func:`examine`.

A rename is the exception: it first gives the new name to the volume and the link, and then to the instance. If the
daemon dies in between, the link is missing, and a volume belongs to no instance (all three).

The mark of an instance shows whether lxdapi created it: one half of this UUID is a digest of the other. The
mark is in ``volatile.uuid``; see :func:`with_mark` for the exceptions.
"""

import hashlib
import re
import secrets as random
import uuid
from typing import NamedTuple

from lxdapi import validation
from lxdapi.errors import APIException, APIPreconditionException, APITimeoutException, InvalidError
from lxdapi.http import operations, retry
from lxdapi.model import objects, writes
from lxdapi.model.cached_reads import CachedObject, uncached_reads
from lxdapi.model.instance import root_pool
from lxdapi.model.kinds import KINDS

KIND = KINDS["instance"]
# The mark of an instance whose uuid is given (a migration keeps it), until its creation has succeeded.
CREATING_KEY = "user.lxdapi.creating"
_UUID_KEY = "volatile.uuid"
# The mark where the project refuses volatile.uuid. The project accepts this key, and no device has its name.
RESTRICTED_KEY = "volatile.lxdapi.creation.hwaddr"
# Keys that the daemon writes at the end of a creation, or at a start.
_CREATED_KEYS = (
    "volatile.apply_template",
    "volatile.last_state.power",
    "volatile.last_state.ready",
    "volatile.vsock_id",
)
# The beginnings of last_used_at of an instance that was never started.
_NEVER = ("1970-01-01", "0001-01-01")
# The daemon's error for the files of an instance without a link to its root file system, or without a volume.
_EMPTY_ROOT = r"^open \S+/rootfs: no such file or directory$|Instance storage pool not found$"
# Marks of the instances whose creation succeeded in this process.
_seen_created = set()


class Finding(NamedTuple):
    """
    The result of examining an instance.

    created
        True: its creation ended.
    is_empty
        True: its creation never ended, and it can never have held data.
    evidence
        The evidence; if neither of the two is known, the reason.
    objection
        The reason not to replace it automatically, although it was never filled.
    """

    created: bool = False
    is_empty: bool = False
    evidence: str = ""
    objection: str = ""

    @property
    def is_replaceable(self):
        """True if deleting the instance provably loses no data."""
        return self.is_empty and not self.objection


def looks_partial(result):
    """Return True if nothing in a GET's result shows that the creation of the instance ended."""
    metadata = result.metadata
    was_used = not (metadata.get("last_used_at") or _NEVER[0]).startswith(_NEVER)
    has_key = any(key in metadata["config"] for key in _CREATED_KEYS)
    return not (has_key or was_used or metadata.get("status", "Stopped") != "Stopped" or is_known(mark_of(result)))


def with_mark(config, refuses_volatile=False):
    """
    Return (the config of a new instance with a mark of lxdapi, that mark).

    refuses_volatile
        See :func:`lxdapi.model.project_rules.ProjectRules.refuses_volatile`.

    The daemons keep the ``volatile.uuid`` of a create (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2), so no mark has to be
    removed afterwards. A project that refuses it, or removes it from a copy, keeps ``volatile.*.hwaddr`` (all three).
    """
    mark = str(_signed_uuid(random.token_bytes(8)))
    key = RESTRICTED_KEY if refuses_volatile else CREATING_KEY if _UUID_KEY in config else _UUID_KEY
    return {**config, key: mark}, mark


def _signed_uuid(half):
    """Return a uuid from its first half, 8 random bytes; the second half is a digest of the first."""
    half = half[:6] + bytes([half[6] & 0x0F | 0x40]) + half[7:]
    return uuid.UUID(bytes=half + hashlib.sha256(b"lxdapi" + half).digest()[:8], version=4)


def mark_of(result):
    """Return the mark that lxdapi gave an instance at its creation, or None."""
    config = result.metadata["config"]
    return config.get(CREATING_KEY) or _our_mark_or_none(config.get(RESTRICTED_KEY) or config.get(_UUID_KEY))


def _our_mark_or_none(text):
    try:
        parsed = uuid.UUID(text or "")
    except ValueError:
        return None
    return text if _signed_uuid(parsed.bytes[:8]) == parsed else None


def remember(mark):
    """Remember that the creation with this mark succeeded: this process no longer doubts it."""
    _seen_created.add(mark)


def is_known(mark):
    """Return True if this process saw the creation with this mark succeed."""
    return mark in _seen_created


def wait_until_created(api, name, result=None, seconds=None, may_be_sent=False):
    """
    Return the instance once its creation is no longer running, None if it does not exist. It can still look partial.

    result
        The result of a recent GET. Default: read it.
    seconds
        Seconds to wait. Default: as long as for an operation.
    may_be_sent
        True: a request to create it may have been sent, although there is no instance yet.
    """
    result = result or objects.read(api, KIND, name)
    if not _may_be_in_creation(result, may_be_sent):
        return result
    with uncached_reads():
        result = objects.read(api, KIND, name) if isinstance(result, CachedObject) else result
        return _wait(api, name, result, retry.Backoff(api.wait_timeout if seconds is None else seconds), may_be_sent)


def _may_be_in_creation(result, may_be_sent):
    return looks_partial(result) if result else may_be_sent


def _wait(api, name, result, backoff, may_be_sent):
    while _may_be_in_creation(result, may_be_sent):
        if not operations.has_operation(api, objects.path_of(KIND, name)):
            # the creation can have ended between the two reads
            return objects.read(api, KIND, name)
        if not backoff.sleep():
            url = f"{api.endpoint}/1.0/{objects.path_of(KIND, name)}"
            raise APITimeoutException(error="it is still being created", method="GET", url=url)
        result = objects.read(api, KIND, name)
    return result


def examine(api, name, result):
    """Return the :class:`Finding` about an instance whose creation is no longer running."""
    if not looks_partial(result):
        return Finding(created=True)
    path = objects.path_of(KIND, name)
    root = _examine_root(api, path, result)
    if root.created:
        return root
    objection, is_ours = _find_kept(api, path, result)
    if is_ours and not root.is_empty:
        return Finding(created=True, evidence=objection)
    return root._replace(objection=objection or ("" if mark_of(result) else "lxdapi did not create it"))


def _examine_root(api, path, result):
    if result.metadata.get("type") != "container":
        return Finding(evidence="lxdapi cannot read the disk of a stopped virtual machine")
    try:
        api.get(f"{path}/files", params={"path": "/"})
    except APIException as exc:
        missing = re.search(_EMPTY_ROOT, exc.error)
        # LXD 5.0.2 also reports this for an instance that was created empty
        if missing and "volatile.base_image" in result.metadata["config"]:
            return _examine_volume(api, result, exc.explain())
        return Finding(evidence=f"lxdapi cannot read its root file system: {exc.explain()}")
    return Finding(created=True, evidence="its root file system can be read")


def _examine_volume(api, result, reason):
    """Return the finding about an instance without a root file system: an interrupted rename leaves it elsewhere."""
    pool = root_pool(result.metadata)
    if pool is None:
        return Finding(evidence=f"no root disk shows its storage pool: {reason}")
    volumes = _list_names(api, validation.path("storage-pools/{pool}/volumes/container", pool=pool))
    strays = [] if result.metadata["name"] in volumes else sorted(volumes - _list_names(api, "instances"))
    if strays:
        text = f"its data may be in volume {', '.join(strays)} of pool {pool}, which belongs to no instance"
        return Finding(evidence=f"{text}, as after an interrupted rename: {reason}")
    return Finding(is_empty=True, evidence=f"its root file system was never filled: {reason}")


def _list_names(api, path):
    """Return the names of the instances in a collection, or of their volumes; without snapshots."""
    return {each["name"] for each in api.get(path, params={"recursion": 1}).metadata if "/" not in each["name"]}


def _find_kept(api, path, result):
    """Return (which backups or snapshots exist, whether they are of the instance itself)."""
    if api.get(f"{path}/backups").metadata:
        return "it has a backup", True
    snapshots = api.get(f"{path}/snapshots", params={"recursion": 1}).metadata
    if not snapshots:
        return "", False
    # a copy first gets the snapshots of its origin, with their creation times
    if any(each["created_at"] > result.metadata["created_at"] for each in snapshots):
        return "it has a snapshot of its own", True
    return "it has snapshots of its origin", False


def describe(finding):
    """Return why an instance may be a partial creation, and what to do."""
    reasons = "; ".join(filter(None, [finding.evidence, finding.objection]))
    return (
        "it looks like a partial creation: it was never started, its config has neither volatile.apply_template nor "
        f"volatile.last_state.power, and no operation uses it; {reasons}. If it is complete, start it once; "
        "otherwise delete it, or declare replace_partial: true"
    )


def require_created(api, name, result, proven=True):
    """
    Raise :class:`InvalidError` for an instance that may be a partial creation.

    proven
        False: raise only for an instance that was never filled.
    """
    finding = examine(api, name, result)
    if finding.is_empty or not (finding.created or not proven):
        raise InvalidError(describe(finding))


def delete_partial(api, name, partial, unproven=False):
    """
    Delete a partial creation; return {} if it is no longer partial.

    partial
        The result of its GET. Another run may replace it, so it is read and examined before each try.
    unproven
        True: delete it even if it may hold data. False: raise :class:`InvalidError` in that case.
    """
    api_without_retries, backoff = api.without_retries(), retry.Backoff(api.retry_timeout)
    while True:
        result = wait_until_created(api, name)
        if result is None or _identity(result) != _identity(partial):
            return {}
        finding = examine(api, name, result)
        if finding.created:
            return {}
        if not (finding.is_replaceable or unproven):
            raise InvalidError(describe(finding))
        try:
            return writes.delete(api_without_retries, KIND, name)
        except APIException as exc:
            if not (retry.is_busy(exc) and backoff.sleep(exc)):
                raise


def _identity(result):
    return [result.metadata["config"].get(key) for key in (_UUID_KEY, RESTRICTED_KEY, CREATING_KEY)]


def remove_mark(api, name):
    """Remove the mark from a created instance; does nothing if the instance was deleted."""
    retry.write_verified(api, lambda: _remove_mark(api, name), lambda: None)


def _remove_mark(api, name):
    for _ in range(writes.TRIES):
        result = objects.read(api, KIND, name)
        if result is None or mark_of(result) is None:
            return
        # a PATCH without the description empties it
        body = {"config": {CREATING_KEY: ""}, "description": result.metadata["description"]}
        try:
            api.patch(objects.path_of(KIND, name), json=body, headers={"If-Match": result.etag})
            return
        except APIPreconditionException as exc:
            lost = exc
    raise lost
