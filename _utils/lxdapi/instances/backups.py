"""
Backups: writes an instance or a custom volume to a file with its sha256 beside it, and restores it from such a file.

The daemon first makes a backup of its own, from which lxdapi reads the file. lxdapi deletes that backup in any case; if
this process dies, the daemon deletes it after a day.
"""

import hashlib
import logging
import lzma
import os
import re
import secrets as random
import tarfile
import time
import zlib
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from functools import partial

import yaml

from lxdapi import atomic_file, hashing, validation
from lxdapi.cluster import instance_move
from lxdapi.errors import APIException, APINotFoundException, InvalidError, LxdapiError
from lxdapi.http import download, operations, retry, upload
from lxdapi.model import listing, objects, project_rules, writes
from lxdapi.model.kinds import get_kind
from lxdapi.plan import converge, steps
from lxdapi.plan.steps import Plan, Step

log = logging.getLogger(__name__)

# A backup packs a whole disk, and an import unpacks one.
SECONDS = 3600
# The time after which the daemon deletes a backup by itself.
_KEPT = timedelta(days=1)
# The kind by the number of parts of a name.
_KIND_NAMES = {1: "instance", 2: "storage_volume"}
# The option that leaves the snapshots out of a backup.
_ALONE = {"instance": "instance_only", "storage_volume": "volume_only"}
# The types in the index of a backup file.
_TYPES = {"instance": ("container", "virtual-machine"), "storage_volume": ("custom",)}
_EXTENSIONS = {"instance": "container_backup", "storage_volume": "custom_volume_backup"}
# Only its description identifies the operation of an import (all three).
_RESTORING = r"Restoring .*backup"
# The first member of each backup (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
_INDEX = "backup/index.yaml"
_LARGEST_INDEX = 16 * 1024 * 1024
# Formats that Python's tarfile reads; the daemons also accept zstd and squashfs.
_READABLE = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
# How the first volume descriptor of an iso file (ISO 9660) begins.
_ISO_AT, _ISO = 32769, b"CD001"
_DAMAGES = (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError, ValueError, RecursionError, yaml.YAMLError)


def kind_name_of(name):
    """Return the kind: ``web1`` is an instance, ``default/data`` a volume."""
    kind_name = _KIND_NAMES.get(name.count("/") + 1) if isinstance(name, str) else None
    if kind_name is None:
        raise InvalidError.of_value("name", "INSTANCE or POOL/VOLUME", name)
    objects.path_of(get_kind(kind_name), name)
    return kind_name


def export_options(kind_name, optimized=False, alone=False, compression=None):
    """
    Return the daemon's options for making a backup.

    optimized
        True: use the format of the storage driver, which is faster but can only be imported on such a pool.
    alone
        True: without the snapshots.
    compression
        ``none``, ``gzip``, ``zstd`` or another algorithm of the daemon. Default: its ``backups.compression_algorithm``.
    """
    if compression is not None and not isinstance(compression, str):
        raise InvalidError.of_value("compression", "the name of an algorithm (none, gzip)", compression)
    options = {
        "optimized_storage": validation.flag("optimized", optimized),
        _ALONE[kind_name]: validation.flag(_ALONE[kind_name], alone),
    }
    return {**options, **({"compression_algorithm": compression} if compression else {})}


def export(api, kind_name, name, path, options, timeout=None):
    """
    Write an instance or a custom volume into a file, and its sha256 beside it; returns ``{path, size, sha256}``.

    kind_name
        ``instance`` or ``storage_volume``.
    path
        An absolute path. An existing file is replaced when the new one is complete; the checksum is in
        ``<path>.sha256``.
    options
        See :func:`export_options`.
    timeout
        Seconds for the daemon to make the backup. Default: 3600. Reading it may take longer, as long as data arrives.
    """
    rest_path, timeout = objects.path_of(get_kind(kind_name), name), validation.parse_seconds(timeout)
    _require_extension(api, kind_name)
    with atomic_file.replace(f"{path}.sha256") as checksum_file, atomic_file.replace(path) as file:
        digest = _fetch(api, rest_path, file, options, timeout or SECONDS)
        atomic_file.write_to_disk(checksum_file, f"{digest}  {os.path.basename(path)}\n".encode())
        return {"path": path, "size": file.tell(), "sha256": digest}


def _require_extension(api, kind_name):
    extension = _EXTENSIONS[kind_name]
    if not api.has(extension):
        raise InvalidError(
            f"{objects.daemon_of(api)} does not support this backup: it lacks the API extension {extension}"
        )


def _fetch(api, path, file, options, timeout):
    """Make a backup, write it into the file and return its sha256."""
    name = f"lxdapi-{random.token_hex(6)}"
    expires_at = (datetime.now(timezone.utc) + _KEPT).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"name": name, "expires_at": expires_at, **options}
    backup_path = f"{path}/backups/{name}"
    try:
        retry.write_verified(
            api,
            lambda: api.post(f"{path}/backups", json=body).wait(timeout),
            lambda: _delete_partial(api, path, backup_path),
        )
        return download.download(api, f"{backup_path}/export", file, description=f"backup of {path.rpartition('/')[2]}")
    finally:
        _delete_or_warn(api, backup_path)


def _delete_partial(api, path, backup_path):
    """Delete the unfinished backup of a daemon that died; returns None, so that the backup is made again."""
    operations.wait_until_idle(api, path)
    _delete(api, backup_path)


def _delete(api, backup_path):
    """Delete a backup on the daemon, if it exists."""
    try:
        retry.write_verified(api, lambda: api.delete(backup_path).wait() and None, lambda: None)
    except APINotFoundException:
        pass


def _delete_or_warn(api, backup_path):
    """Delete a backup on the daemon, or log a warning that the daemon keeps it until it expires."""
    try:
        _delete(api, backup_path)
    except APIException as exc:
        log.warning("lxdapi: the daemon keeps its backup %s until it expires in a day: %s", backup_path, exc.explain())


def plan_export(api, kind_name, name, path, options, max_age=None, timeout=None, memory=None, now=None) -> Plan:
    """
    Return the steps to a file with a backup of an instance or a custom volume.

    max_age
        Seconds, or text such as ``12h``, ``7d`` or ``2w``: an older file is written again. Default: any age.
    memory
        The file that remembers checksums; see :func:`lxdapi.hashing.cached_fingerprint`.
    now
        The time in seconds since 1970. Default: the time of the clock.

    A file is also written again if its checksum is missing or does not match.
    """
    max_age, timeout = parse_max_age(max_age), validation.parse_seconds(timeout)
    objects.path_of(get_kind(kind_name), name)
    atomic_file.require_path(path)
    reason = outdated_reason(path, max_age, memory, time.time() if now is None else now)
    if not reason:
        return Plan().with_note(f"its backup {path} is up to date")
    _require_extension(api, kind_name)

    def apply():
        export(api, kind_name, name, path, options, timeout)

    missing = partial(_missing_reason, api, kind_name, name)
    return Plan.of([Step("exported", {"exported": path}, apply, reason, missing)])


def _missing_reason(api, kind_name, name):
    if objects.missing_project_reason(api):
        return objects.missing_project_reason(api)
    kind = get_kind(kind_name)
    return "" if objects.read(api, kind, name) is not None else f"{kind.label} {name} does not exist"


def import_file(api, kind_name, name, path, pool=None, target=None, timeout=None):
    """
    Create an instance or a custom volume from a backup file; an existing one is an error.

    kind_name
        ``instance`` or ``storage_volume``.
    name
        It may differ from the name in the backup.
    path
        The file. If ``<path>.sha256`` exists and does not match, nothing is sent.
    pool
        The storage pool for an instance. Default: the pool in the backup.
    target
        The cluster member for it, for an instance also a ``@group``. Default: the member of the connection.
    timeout
        Seconds for the daemon to unpack it. Default: 3600.

    lxdapi imports it under another name, and renames it when it is complete. A daemon that dies meanwhile leaves files
    of an instance in its pool, which no request can remove and which block their name forever (LXD 5.0.2, Incus 6.0.4,
    Incus 7.0.2), or an incomplete volume that looks like a complete one.
    """
    kind, timeout = get_kind(kind_name), validation.parse_seconds(timeout)
    objects.path_of(kind, name)
    require_backup_file(path, _TYPES[kind_name], kind.label)
    _require_extension(api, kind_name)
    headers = _headers(api, pool)
    if target and kind.cluster.local:
        api, target = api.at(target), None
    if target:
        instance_move.members(api, target)
    _require_absent(api, kind, name)
    staging = _Stage(api, kind_name, name)
    staging.clear()
    collection = validation.path(kind.collection, **objects.parts_of(kind, name))

    def send():
        send_file(api, collection, path, {**headers, **staging.header()}, timeout or SECONDS)

    try:
        with project_rules.read(api).one_at_a_time():
            retry.write_verified(api, send, staging.exists)
        if target:
            _move(api, staging.name, target, timeout)
        writes.rename(api, kind, staging.name, name)
    except LxdapiError:
        staging.clear()
        raise


def _move(api, name, target, timeout):
    """
    Move the imported instance to its member: the daemon of the connection creates it on itself, whatever the target
    (all three).
    """
    step = instance_move.plan_move(
        api, name, api.get(objects.path_of(get_kind(_KIND_NAMES[1]), name)), target, True, timeout
    )
    steps.apply([step] if step else [])


def _require_absent(api, kind, name):
    objects.require_project(api)
    if objects.read(api, kind, name) is not None:
        raise InvalidError(f"{kind.label} {name} already exists: delete it first, or import under another name")


def _headers(api, pool):
    headers = {"Content-Type": "application/octet-stream"}
    if pool is None:
        return headers
    if not validation.check("token", "storage pool", pool).isascii():
        raise InvalidError(f"pool {pool!r}: an import accepts only ASCII names of pools")
    return {**headers, f"X-{api.dialect}-pool": pool}


def send_file(api, collection, path, headers, timeout, label="backup"):
    """Send a file in a POST, and wait until the daemon made an object of it."""
    with ExitStack() as stack:
        body = upload.body(api, stack, [path], f"{label} file", label)
        seconds = max(api.timeout, api.wait_timeout)  # the daemon unpacks a part of some backups before it answers
        api.post(collection, data=body, headers=headers, timeout=seconds).wait(timeout)


def plan_create(api, name, source, declared, timeout=None, target=None) -> list[Step]:
    """
    Return the steps that create an instance from a backup file and then update it as declared.

    source
        ``{"type": "backup", "path": ..., "pool": ...}``, without ``pool`` for the pool in the backup.
    """
    validation.require_known("source of type backup", source, ("type", "path", "pool"))
    path, pool, kind_name = source.get("path"), source.get("pool"), _KIND_NAMES[1]
    atomic_file.require_path(path)

    def missing():
        return objects.missing_project_reason(api) or ("" if os.path.isfile(path) else f"file {path} does not exist")

    apply = partial(import_file, api, kind_name, name, path, pool, target, timeout)
    creation = Step("created", {"created": name}, apply, missing=missing)
    return [creation, *converge.plan_follow_up(api, get_kind(kind_name), name, declared)]


def parse_max_age(value):
    """Return an age in seconds, None for None."""
    if validation.duration(value) is not None:
        return validation.duration(value)
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0):
        return value
    raise InvalidError.of_value("max_age", "seconds or a time (12h, 7d, 2w)", value)


def outdated_reason(path, max_age, memory, now):
    """Return why the file must be written again, "" if it is up to date."""
    if not os.path.isfile(path):
        return f"file {path} did not exist"
    checksum = read_checksum(path)
    if checksum is None:
        return f"{path}.sha256 did not exist"
    if not os.path.getsize(path) or hashing.cached_fingerprint(path, memory=memory) != checksum:
        return f"{path} did not match {path}.sha256"
    age = now - os.stat(path).st_mtime
    if max_age is None or abs(age) <= max_age:
        return ""
    # a wrong clock wrote it: it would stay young enough for years
    return f"{path} was {f'older than {max_age} s' if age > 0 else 'dated in the future'}"


def read_checksum(path):
    """Return the sha256 in ``<path>.sha256``, None without such a file, "" if the file does not begin with a sha256."""
    try:
        with open(f"{path}.sha256", encoding="utf-8", errors="replace") as file:
            checksum = file.read(64)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise InvalidError(f"cannot read {path}.sha256: {exc.strerror}") from exc
    return checksum.lower() if validation.is_fingerprint(checksum.lower()) else ""


def require_backup_file(path, types, label):
    """
    Raise :class:`InvalidError` if a file is not a backup of these types, has a damaged beginning, or does not match its
    checksum.

    LXD 5.0.2 and Incus 6.0.4 never reply to a compressed file that ends within its index.
    """
    upload.open_file(path, "backup file").close()
    type_in_index = _type_in_index(path)
    if type_in_index is not None and type_in_index not in types:
        raise InvalidError(f"backup file {path}: expected {label}, its index says {type_in_index!r}")
    checksum = read_checksum(path)
    if checksum is not None and checksum != hashing.fingerprint(path):
        raise InvalidError(
            f"backup file {path} does not match {path}.sha256: the file is damaged, or the checksum is that of another"
        )


def _type_in_index(path):
    """Return the type of the object in a backup, None if Python cannot read the file."""
    with open(path, "rb") as file:
        head = file.read(512)
        file.seek(_ISO_AT)
        is_iso = file.read(len(_ISO)) == _ISO
    if not head.startswith(_READABLE) and head[257:262] != b"ustar":
        if is_iso:
            raise InvalidError(
                f"backup file {path} is an iso file: declare lxdapi_storage_volume.present with content_type: iso and "
                f"source: {path}"
            )
        return None
    try:
        with tarfile.open(path, "r|*") as tar:
            first = tar.next()
            if first is None or first.name != _INDEX:
                raise InvalidError(f"backup file {path} is not a backup: it does not begin with {_INDEX}")
            if not first.isreg():
                raise InvalidError(f"backup file {path} is not a backup: its {_INDEX} is not a regular file")
            index = yaml.safe_load(tar.extractfile(first).read(_LARGEST_INDEX))  # type: ignore[union-attr]  # a file
    except InvalidError:
        raise
    except _DAMAGES as exc:
        raise InvalidError(f"backup file {path} is damaged: {exc}") from exc
    type_in_index = index.get("type") if isinstance(index, dict) else None
    # the file is not trusted: the value may have any type, and a few bytes of YAML can expand to gigabytes
    return type_in_index if isinstance(type_in_index, str) else "none"


class _Stage:
    """Temporary names for an import, a new one for each try: a failed import can block its name."""

    def __init__(self, api, kind_name, name):
        self._api, self._kind_name, self._kind = api, kind_name, get_kind(kind_name)
        self._within = f"{name.rpartition('/')[0]}/".lstrip("/")
        self._prefix = f"lxdapi-{hashlib.sha256(name.encode()).hexdigest()[:12]}-"
        self.name = None

    def header(self):
        """Return the header that sets a new temporary name."""
        temporary_name = self._prefix + random.token_hex(4)
        self.name = self._within + temporary_name
        return {f"X-{self._api.dialect}-name": temporary_name}

    def exists(self):
        """Return True if the last import exists and the daemon did not restart meanwhile, else None."""
        operations.wait_until_idle(self._api, objects.path_of(self._kind, self.name))
        if objects.read(self._api, self._kind, self.name) is None:
            return None
        if not self._api.has_restarted():
            return True
        self.clear()
        return None

    def clear(self):
        """Delete the leftovers of failed imports, unless an import is still running."""
        try:
            for each in self._list_leftovers():
                writes.delete(self._api, self._kind, each)
        except APIException as exc:
            log.warning("lxdapi: could not delete the leftovers of an import: %s", exc.explain())

    def _list_leftovers(self):
        if any(re.match(_RESTORING, each.get("description") or "") for each in operations.list_running(self._api)):
            return []
        names = listing.list_objects(self._api, self._kind_name, self._within.rstrip("/") or None)
        return [each for each in names if each.startswith(self._within + self._prefix)]
