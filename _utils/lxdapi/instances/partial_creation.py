"""
Partial creations: instances that are still being created, or whose creation never ended because the daemon died.

A daemon shows such an instance as ``Stopped``, like any other. It lacks what a daemon writes at the end of a creation,
``volatile.apply_template``, and what the first start leaves in the place of that (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2;
images, copies, empty ones). These keys can be missing from a complete instance as well: an edit of a profile writes the
config of its instances back as the daemon read it some moments before (all three), and a virtual machine whose first
start failed has lost ``volatile.apply_template`` (LXD 5.0.2, Incus 6.0.4). So an instance that looks partial may hold
data.

Whether it does, its root file system tells: a daemon makes the link by which it finds that as the last thing, after it
has filled it. Without the link nobody can read or write a file in it, and it cannot be started (all three, whenever the
daemon dies, and also if what unpacks the image goes on to its end). So what can be read is complete, and what lacks the
link was never more than a part of an instance: that is replaced if lxdapi created it. See :func:`examine`.

The ``volatile.uuid`` of an instance says whether lxdapi created it: half of that is a digest of the other half.
"""

import hashlib
import re
import secrets as random
import uuid
from typing import NamedTuple

from lxdapi.errors import APIException, APIPreconditionException, APITimeoutException, InvalidError
from lxdapi.http import operations, retry
from lxdapi.model import objects, writes
from lxdapi.model.cached_reads import CachedObject, uncached_reads
from lxdapi.model.kinds import KINDS

KIND = KINDS["instance"]
# Where the uuid is another's (a move from another daemon keeps it): until the creation is known to be good.
CREATING_KEY = "user.lxdapi.creating"
_UUID_KEY = "volatile.uuid"
# Each of these is written at the end of a creation, or by a start.
_CREATED_KEYS = (
    "volatile.apply_template",
    "volatile.last_state.power",
    "volatile.last_state.ready",
    "volatile.vsock_id",
)
# What a daemon says of an instance that was never started.
_NEVER = ("1970-01-01", "0001-01-01")
# What a daemon says of the files of an instance without a link to its root file system, or without a storage volume.
_EMPTY_ROOT = r"^open \S+/rootfs: no such file or directory$|Instance storage pool not found$"
# Marks of the instances whose creation this process saw end well.
_seen_created = set()


class Finding(NamedTuple):
    """
    The result of examining an instance.

    created
        True: its creation ended.
    is_empty
        True: its creation never ended, and nobody can ever have put data into it.
    evidence
        What shows it; if it is neither of the two, what is not known.
    objection
        Why it is not replaced by itself, although it was never filled.
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


def with_mark(config):
    """
    Return (the config of a new instance with a mark of lxdapi, that mark).

    A ``volatile.uuid`` that a create sends is kept (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2), so nothing has to be taken
    away afterwards.
    """
    key, mark = (
        (CREATING_KEY, random.token_hex(8))
        if _UUID_KEY in config
        else (_UUID_KEY, str(_signed_uuid(random.token_bytes(8))))
    )
    return {**config, key: mark}, mark


def _signed_uuid(half):
    """Return a random uuid of which one half is a digest of the other, given as 8 bytes."""
    half = half[:6] + bytes([half[6] & 0x0F | 0x40]) + half[7:]
    return uuid.UUID(bytes=half + hashlib.sha256(b"lxdapi" + half).digest()[:8], version=4)


def mark_of(result):
    """Return the mark that lxdapi gave an instance at its creation, None if it has none."""
    config = result.metadata["config"]
    return config.get(CREATING_KEY) or _our_mark_or_none(config.get(_UUID_KEY))


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
        What a GET returned just now; None: it is read.
    seconds
        How long to wait. Default: as long as for an operation.
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
            # the creation can have ended between the two looks
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
        return Finding(evidence="nobody can read the disk of a virtual machine that does not run")
    try:
        api.get(f"{path}/files", params={"path": "/"})
    except APIException as exc:
        missing = re.search(_EMPTY_ROOT, exc.error)
        # LXD 5.0.2 says so of an instance that was created empty as well
        if missing and "volatile.base_image" in result.metadata["config"]:
            return Finding(is_empty=True, evidence=f"its root file system was never filled: {exc.explain()}")
        return Finding(evidence=f"its root file system cannot be read: {exc.explain()}")
    return Finding(created=True, evidence="its root file system can be read")


def _find_kept(api, path, result):
    """Return (which backups or snapshots exist, whether they are of the instance itself)."""
    if api.get(f"{path}/backups").metadata:
        return "it has a backup", True
    snapshots = api.get(f"{path}/snapshots", params={"recursion": 1}).metadata
    if not snapshots:
        return "", False
    # a copy gets the snapshots of its origin before anything else, with the times of their creation
    if any(each["created_at"] > result.metadata["created_at"] for each in snapshots):
        return "it has a snapshot of its own", True
    return "it has snapshots of its origin", False


def describe(finding):
    """Return why an instance may be a partial creation, and what to do."""
    reasons = "; ".join(filter(None, [finding.evidence, finding.objection]))
    return (
        "it looks like a partial creation: it was never started, its config has neither volatile.apply_template nor "
        f"volatile.last_state.power, and no operation is about it; {reasons}. If it is good, start it once; if "
        "not, delete it, or declare replace_partial: true"
    )


def require_created(api, name, result, proven=True):
    """
    Raise :class:`InvalidError` for an instance that may be a partial creation.

    proven
        False: only for one that was never filled.
    """
    finding = examine(api, name, result)
    if finding.is_empty or not (finding.created or not proven):
        raise InvalidError(describe(finding))


def delete_partial(api, name, partial, unproven=False):
    """
    Delete a partial creation; returns {} if it is not partial any more.

    partial
        What a GET returned of it. Another run may have replaced it, so it is read and examined before each try.
    unproven
        True: also where it may hold data. Otherwise :class:`InvalidError` is raised for that.
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
    return [result.metadata["config"].get(key) for key in (_UUID_KEY, CREATING_KEY)]


def remove_mark(api, name):
    """Remove the mark from a created instance; does nothing if the instance was deleted."""
    retry.write_verified(api, lambda: _remove_mark(api, name), lambda: None)


def _remove_mark(api, name):
    for _ in range(writes.TRIES):
        result = objects.read(api, KIND, name)
        if result is None or mark_of(result) is None:
            return
        # PATCH without description empties it: see the table
        body = {"config": {CREATING_KEY: ""}, "description": result.metadata["description"]}
        try:
            api.patch(objects.path_of(KIND, name), json=body, headers={"If-Match": result.etag})
            return
        except APIPreconditionException as exc:
            lost = exc
    raise lost
