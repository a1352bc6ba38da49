"""
Images: fingerprints, streamed uploads and aliases, which the generic plans lack.
"""

import os
import re
from contextlib import ExitStack
from functools import partial

from lxdapi import hashing, validation
from lxdapi.errors import APIOperationException, InvalidError
from lxdapi.http import operations, retry
from lxdapi.http import upload as uploads
from lxdapi.model import diff, objects, project_rules
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan, Step
from lxdapi.yaml_numbers import free_text_note

KIND = KINDS["image"]
ALIAS = KINDS["image_alias"]
UPLOAD_SECONDS = 3600


def upload(api, path, rootfs=None, digest=None, public=False, timeout=None):
    """
    Send an image file to the daemon and return its fingerprint.

    digest
        The fingerprint, if known. lxdapi always sends it, so that the daemon refuses a damaged image.

    If somebody else uploads the same image meanwhile, that counts as success.
    """
    digest = digest or hashing.fingerprint(path, rootfs)
    try:
        send = partial(_send, api, path, rootfs, digest, public, timeout)
        retry.write_verified(api, send, lambda: _verify_imported(api, digest))
    except APIOperationException:
        if objects.read(api, KIND, digest) is None:
            raise
    return digest


def _send(api, path, rootfs, digest, public, timeout):
    prefix = f"X-{api.dialect}-"
    with ExitStack() as stack:
        parts, content_type = [path], "application/octet-stream"
        if rootfs:
            parts, content_type = uploads.form([("metadata", path), ("rootfs", rootfs)])
        headers = {
            "Content-Type": content_type,
            prefix + "fingerprint": digest,
            prefix + "filename": _header_text(os.path.basename(rootfs or path)),
            prefix + "public": "1" if public else "0",
        }
        body = uploads.body(api, stack, parts, identity=digest)
        api.post("images", data=body, headers=headers).wait(timeout or UPLOAD_SECONDS)


def _verify_imported(api, digest):
    """Return True if the image exists once no import is running, else None."""
    backoff = retry.Backoff(api.wait_timeout)
    while objects.read(api, KIND, digest) is None:
        if not is_importing(api):
            # the import can have ended between the two reads
            return True if objects.read(api, KIND, digest) is not None else None
        if not backoff.sleep():
            return None
    return True


def is_importing(api):
    """
    Return True while an image is being uploaded, published or fetched: only the description of the operation shows that
    (all three).
    """
    return any(
        operation.get("description") == "Downloading image" and not _names_image(operation)
        for operation in operations.list_running(api)
    )


def _names_image(operation):
    """Return True for an operation on an image that exists: it is being sent to another daemon."""
    return any(path.startswith("images/") for path in operations.object_paths(operation))


def _header_text(text):
    """Return a file name in a form that a header can carry."""
    return re.sub("^ | $", "_", "".join(char if " " <= char <= "~" else "_" for char in text))


def read_alias_target(api, alias):
    """Return the fingerprint that the alias points at, None if the alias does not exist."""
    result = objects.read(api, ALIAS, alias)
    return result.metadata["target"] if result is not None else None


def resolve(api, name):
    """Return the fingerprint of an image named by fingerprint or alias, None if it does not exist."""
    text = name.lower() if isinstance(name, str) else ""
    if not validation.is_fingerprint(text):
        target = read_alias_target(api, name)
        if target is None and validation.is_short_fingerprint(name):
            raise short_fingerprint_error(api, name)
        return target
    name = text
    result = objects.read(api, KIND, name)
    return result.metadata["fingerprint"] if result is not None else None


def short_fingerprint_error(api, name, project=None):
    """Return the error for a shortened fingerprint; it names the matching fingerprints of the daemon."""
    listed = api.get("images", params={"project": project} if project else None).metadata or ()
    digests = [path.partition("?")[0].rpartition("/")[2] for path in listed]
    matches = ", ".join(sorted(digest for digest in digests if digest.startswith(name.lower()))) or "none"
    return InvalidError(
        f"expected an alias or a whole fingerprint (64 digits), got {name}; the daemon does not have "
        f"this alias, and these of its fingerprints begin with it: {matches}"
    )


def require(api, name):
    """Return the fingerprint of an image named by fingerprint or alias; raises if it does not exist."""
    digest = resolve(api, name)
    if digest is None:
        raise_missing(name)
    return digest


def raise_missing(name):
    """Raise :class:`InvalidError` for a missing image without a source."""
    raise InvalidError(f"image {name} does not exist, and no source is declared: declare source")


def plan_alias(api, alias, target, description=None, renamed_from=None) -> Plan:
    """
    Return the steps to an alias that points at the image; an existing one is moved in one request.
    """
    declared = {"target": validation.fingerprint(target, "target"), "description": description}
    return converge.plan_present(api, "image_alias", alias, declared, renamed_from=renamed_from)


def parse_aliases(names):
    """Return the declared aliases without duplicates; raises :class:`InvalidError` for anything but a list of names."""
    if not isinstance(names, (list, tuple)) or not all(isinstance(alias, str) for alias in names):
        raise InvalidError.of_value("aliases", "a list of names", names)
    return [validation.check("any", "image alias", alias) for alias in dict.fromkeys(names)]


def plan_present(api, digest, declared, send, aliases=(), check=None, purge=False) -> list[Step]:
    """
    Return the steps that make an image as declared, with these aliases.

    digest
        Its fingerprint.
    send
        Called without arguments if the image is missing; uploads it.
    aliases
        Names that must point to it; its other aliases stay.
    check
        Called first if the image is missing; raises if it cannot be sent.
    purge
        True: remove its other aliases.
    """
    purge = validation.flag("purge", purge)
    aliases = parse_aliases(aliases)
    raw, declared = declared, diff.normalize(KIND, declared)
    result = objects.read(api, KIND, digest)
    require_public_allowed(api, declared, result)
    if result is None:
        if check:
            check()
        steps = [Step("created", {"created": digest}, lambda: send() and None, free_text_note(raw))]
        steps += converge.plan_follow_up(api, KIND, digest, declared)
    else:
        steps = list(converge.plan_changes(api, KIND, digest, declared, result))
    steps += plan_aliases(api, aliases, digest)
    return steps + (_plan_purge(api, digest, result, aliases) if purge and result is not None else [])


def require_public_allowed(api, declared, result):
    """
    Raise :class:`InvalidError` if the daemon refuses to make an image public in this project.

    result
        The result of a GET of the image, None if it does not exist.
    """
    is_public = result is not None and result.metadata.get("public")
    if declared.get("public") and not is_public and project_rules.refuses_public_images(api):
        raise InvalidError(
            f"public: LXD has public images only in the project default, and this one is in {api.project}: omit it, "
            "or declare the image in the project default"
        )


def plan_aliases(api, aliases, digest) -> list[Step]:
    """Return the steps that make these aliases point at the image, as changes of the image."""
    named = dict.fromkeys(aliases)
    return [_alias_step(alias, digest, step) for alias in named for step in plan_alias(api, alias, digest)]


def _plan_purge(api, digest, result, aliases) -> list[Step]:
    """Return the steps that delete the undeclared aliases of the image."""
    others = sorted({each["name"] for each in result.metadata.get("aliases") or ()} - set(aliases))
    return [
        Step(f"stripped of the alias {alias}", {"aliases": {alias: {"old": digest, "new": None}}}, step.apply)
        for alias in others
        for step in converge.plan_absent(api, "image_alias", alias)
    ]


def _alias_step(alias, digest, step) -> Step:
    """Return an alias's step as a change of its image."""
    old = step.changes.get("target", {}).get("old")
    return Step(
        f"given the alias {alias}", {"aliases": {alias: {"old": old, "new": digest}}}, lambda: step.apply() and None
    )
