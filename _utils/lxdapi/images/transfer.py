"""
Exports images to files and copies them between daemons.
"""

import logging
import os
import tempfile
from contextlib import ExitStack
from datetime import datetime, timezone
from functools import partial

from lxdapi import atomic_file
from lxdapi.errors import APIException, InvalidError, LxdapiError
from lxdapi.http import download, multipart_download
from lxdapi.images import image as images
from lxdapi.images import remote
from lxdapi.model import diff, equality, objects, project_rules
from lxdapi.plan.steps import Step

log = logging.getLogger(__name__)

MODES = (None, "pull", "relay")
_FIELDS = ("expires_at", "properties", "public")


def export(api, name, path, rootfs=None):
    """
    Write an image to one file, or a split image to two; returns ``{"fingerprint": ..., "files": [...]}``.

    name
        An alias or a fingerprint.
    path
        The absolute path of the file, for a split image that of its metadata. In an existing directory, the fingerprint
        is the name of the file.
    rootfs
        The second file of a split image. Default: the first with ``.root`` appended.

    The files are written under temporary names, compared with the fingerprint and then renamed; their mode is 0600. A
    failure changes nothing.
    """
    digest = images.require(api, name)
    if isinstance(path, str) and os.path.isabs(path) and os.path.isdir(path):
        path = os.path.join(path, digest)
    second = f"{path}.root" if rootfs is None else rootfs
    with ExitStack() as stack:
        # open the first file now, to report an invalid path before the request
        first = stack.enter_context(atomic_file.replace(path))
        files = [lambda: first, lambda: stack.enter_context(atomic_file.replace(second))]
        parts = multipart_download.MultipartWriter(files)
        actual = parts.end(download.download(api, f"images/{digest}/export", parts, description="image"))
        if actual != digest:
            raise LxdapiError(f"expected the image {digest}, but the daemon sent one with the fingerprint {actual}")
    return {"fingerprint": digest, "files": [path, second] if parts.is_form else [path]}


def refresh(api, name):
    """
    Have the daemon update an image from its source; returns ``{"refreshed": True or False, "fingerprint": ...}``, the
    new fingerprint if the image was refreshed and the name is an alias.
    """
    digest = images.require(api, name)
    operation = api.post(f"images/{digest}/refresh").wait(remote.FETCH_SECONDS)
    refreshed = bool(((operation.metadata or {}).get("metadata") or {}).get("refreshed"))
    return {"refreshed": refreshed, "fingerprint": (images.resolve(api, name) if refreshed else None) or digest}


def plan_copy(api, origin, name, folder, aliases=(), mode=None, timeout=None) -> tuple[str, list[Step]]:
    """
    Return (fingerprint, steps) that copy an image of another daemon, with its settings, to this one. A public image is
    private in a project without public images.

    origin
        The API of the other daemon.
    name
        An alias or a fingerprint there.
    folder
        The folder for a temporary copy on this machine; created if missing.
    aliases
        Its aliases on this daemon.
    mode
        ``pull``: this daemon fetches it from the other one, which must listen on https. ``relay``: it goes through
        this machine. Default: pull if possible.
    """
    if mode not in MODES:
        raise InvalidError.of_value("mode", "pull or relay", mode)
    digest = images.require(origin, name)
    result = objects.read(origin, images.KIND, digest)
    if result is None:
        raise InvalidError(f"image {name} does not exist on {origin.address_text}")
    metadata = result.metadata
    if metadata.get("public") and project_rules.refuses_public_images(api):
        log.warning("lxdapi: the copy of the public image %s is private: the project cannot have public images", name)
        metadata = {**metadata, "public": False}
    declared = diff.normalize(images.KIND, {field: metadata[field] for field in _FIELDS if metadata.get(field)})
    send = partial(_copy, api, origin, digest, mode, folder, timeout)
    return digest, images.plan_present(api, digest, declared, send, aliases)


def _copy(api, origin, digest, mode, folder, timeout):
    """Copy the image to this daemon and return its fingerprint."""
    address = _https_url(origin)
    if mode == "pull" and not address:
        raise InvalidError(
            f"mode pull: {origin.address_text} does not listen on https: set core.https_address, or use relay"
        )
    if mode == "relay" or not address:
        return _relay(api, origin, digest, folder, timeout)
    try:
        return _pull(api, origin, address, digest, timeout)
    except APIException:
        if mode == "pull":
            raise
        return _relay(api, origin, digest, folder, timeout)


def _https_url(origin):
    """Return the https URL of the other daemon, "" if it does not listen on https."""
    if not origin.local:
        return origin.endpoint
    addresses = (origin.server.get("environment") or {}).get("addresses") or ()
    return f"https://{addresses[0]}" if addresses else ""


def _pull(api, origin, address, digest, timeout):
    """Have this daemon fetch the image with a secret of the other one."""
    # this operation is a token, which ends when it is used or cancelled: do not wait for it (all three)
    token = origin.post(f"images/{digest}/secret")
    source = {
        "server": address,
        "protocol": "incus" if api.dialect == "Incus" else "lxd",
        "fingerprint": digest,
        "certificate": origin.server["environment"]["certificate"],
        "secret": (token.metadata.get("metadata") or {}).get("secret"),
    }
    try:
        return remote.fetch(api, remote.parse_source(source), digest, timeout)
    finally:
        _cancel(origin, *token.operation)


def _cancel(origin, path, query):
    """Cancel an unused token of the other daemon; a used one no longer exists."""
    try:
        origin.transact("DELETE", path, params=query)
    except APIException as exc:
        log.warning("lxdapi: could not cancel a token for an image on %s: %s", origin.address_text, exc.explain())


def _relay(api, origin, digest, folder, timeout):
    os.makedirs(folder, mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary_folder:
        parts = export(origin, digest, os.path.join(temporary_folder, "image"))["files"]
        return images.upload(api, *parts, digest=digest, timeout=timeout)


def list_unused(api, older_than=0):
    """
    Return the cached images that no instance of any project uses: mappings of ``fingerprint``, ``last_used_at`` and
    ``size``.

    older_than
        Days since its last use.
    """
    if isinstance(older_than, bool) or not isinstance(older_than, (int, float)) or older_than < 0:
        raise InvalidError.of_value("days", "a number of at least 0", older_than)
    instances = api.get("instances", params={"recursion": 1, "all-projects": "true"}).metadata or ()
    used = {each["config"].get("volatile.base_image") for each in instances}
    cached = [each for each in api.get("images", params={"recursion": 1}).metadata or () if each.get("cached")]
    spare = [each for each in cached if each["fingerprint"] not in used and _days_unused(api, each) >= older_than]
    return [{key: each[key] for key in ("fingerprint", "last_used_at", "size")} for each in spare]


def _days_unused(api, image):
    """Return for how many days an image has not been used."""
    # last_used_at is the year 1 for an image that was never used
    last_used_at = equality.parse_time(max(image["last_used_at"], image["uploaded_at"]))
    return (datetime.now(timezone.utc) - last_used_at).total_seconds() / 86400  # type: ignore[operator]  # both are times
