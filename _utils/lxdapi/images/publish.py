"""
Images published from instances and their snapshots.

A property of the image records its origin: the name, the creation time, and a mark of the publication.
"""

import secrets as random
from functools import partial

from lxdapi import validation
from lxdapi.errors import APIProtocolException, InvalidError
from lxdapi.http import retry
from lxdapi.images import image as images
from lxdapi.instances import partial_creation, power
from lxdapi.model import diff, objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge, steps
from lxdapi.plan.steps import Step

PROPERTY = "lxdapi.published"
PUBLISH_SECONDS = 3600


class PublishSource:
    """
    The instance or snapshot that an image is published from.

    name
        ``web1`` or ``web1/snap0``.
    """

    def __init__(self, api, name):
        self._api, self.name = api, name
        self.is_snapshot = isinstance(name, str) and "/" in name
        self.kind = KINDS["instance_snapshot" if self.is_snapshot else "instance"]
        objects.path_of(self.kind, name)

    def read(self):
        """Return the result of its GET, None if it does not exist."""
        if self.is_snapshot:
            return objects.read(self._api, self.kind, self.name)
        return partial_creation.wait_until_created(self._api, self.name)

    def require(self):
        """Return the result of its GET; raises :class:`InvalidError` if it does not exist."""
        result = self.read()
        if result is None:
            raise InvalidError(self.missing())
        return result

    def missing(self):
        """Return that it does not exist, "" if it does."""
        return "" if self.read() is not None else f"{self.kind.label} {self.name} does not exist"

    def label(self, result):
        """Return the name and the creation time, with which the image property begins."""
        return f"{self.name} {result.metadata['created_at']}" if result is not None else self.name

    def status(self, result, force):
        """
        Return its power state, ``Stopped`` for a snapshot; raises :class:`InvalidError` if it must not be stopped.
        """
        if self.is_snapshot:
            return "Stopped"
        result = power.wait_until_stable(self._api, self.name, result)
        status = power.status(result)
        if status != "Stopped" and not force:
            raise InvalidError(
                f"{self.name} is {status}; set force: true to stop it for the publication and start it again"
            )
        power.require_not_ephemeral(result, "Stopped")
        return status


def label_of(image):
    """Return the :meth:`PublishSource.label` of the origin of a published image; "" for any other image."""
    return (image.get("properties") or {}).get(PROPERTY, "").rpartition(" ")[0]


def publish(api, name, declared, aliases=(), compression=None, force=False, timeout=None):
    """
    Publish an image of an instance or a snapshot, give it the aliases and return its fingerprint.

    name
        See :class:`PublishSource`.
    declared
        Its fields: ``properties``, ``public``, ``expires_at``.
    compression
        ``gzip``, ``zstd``, ``none``, ... Default: the setting of the server.
    force
        True: stop a running instance for the publication, and restore its status. False: raise for a running instance,
        because the daemon refuses it ("Cannot export a running instance as an image").
    timeout
        Seconds. Default: 3600.

    If the reply is lost, lxdapi looks for the image with our mark.
    """
    origin, force, timeout = (
        PublishSource(api, name),
        validation.flag("force", force),
        validation.parse_seconds(timeout),
    )
    # check first: a text would become an alias for each of its letters
    aliases = images.parse_aliases(aliases)
    declared, result = diff.normalize(images.KIND, declared), origin.require()
    images.require_public_allowed(api, declared, None)
    origin.status(result, force)
    publish_it = partial(_publish_verified, api, origin, result, declared, compression, timeout)
    digest = publish_it() if origin.is_snapshot or not force else power.while_stopped(api, name, publish_it)
    for alias in aliases:
        steps.apply(images.plan_alias(api, alias, digest))
    return digest


def _publish_verified(api, origin, result, declared, compression, timeout):
    mark = f"{origin.label(result)} {random.token_hex(6)}"
    properties = {**(declared.get("properties") or {}), PROPERTY: mark}
    source = {"type": "snapshot" if origin.is_snapshot else "instance", "name": origin.name}
    body = {**diff.create_body(images.KIND, {**declared, "properties": properties}), "source": source}
    if compression is not None:
        body["compression_algorithm"] = compression
    return retry.write_verified(api, partial(_publish, api, body, timeout), partial(_verify_published, api, mark))


def _publish(api, body, timeout):
    operation = api.post("images", json=body).wait(PUBLISH_SECONDS if timeout is None else timeout)
    digest = ((operation.metadata or {}).get("metadata") or {}).get("fingerprint")
    if not validation.is_fingerprint(digest):
        raise APIProtocolException(operation, "expected the fingerprint of the published image in the reply")
    return digest


def _verify_published(api, mark):
    """Return the fingerprint of the image with our mark once no image is being created, None without one."""
    backoff = retry.Backoff(api.wait_timeout)
    while images.is_importing(api) and backoff.sleep():
        pass
    digests = [each["fingerprint"] for each in list_images(api) if (each.get("properties") or {}).get(PROPERTY) == mark]
    return digests[0] if digests else None


def list_images(api):
    """Return all images of the project."""
    return api.get("images", params={"recursion": 1}).metadata or []


def plan_present(
    api, alias, name, declared, aliases=(), compression=None, force=False, delete_old=False, timeout=None
) -> list[Step]:
    """
    Return the steps that make an alias point at an image of an instance or a snapshot.

    name
        ``web1`` or ``web1/snap0``. An image of an earlier instance with the same name does not count.
    declared
        The image's declared fields.
    delete_old
        True: delete the previous image of the alias if lxdapi published it.

    For the others see :func:`publish`. An earlier image of the same origin without the alias gets it again.
    """
    validation.check("any", "image alias", alias)
    force, delete_old = validation.flag("force", force), validation.flag("delete_old", delete_old)
    origin, declared, all_aliases = (
        PublishSource(api, name),
        diff.normalize(images.KIND, declared),
        images.parse_aliases([alias, *images.parse_aliases(aliases)]),
    )
    result, old_image = origin.read(), _read_image_of_alias(api, alias)
    label = origin.label(result)
    image = old_image if old_image is not None and label_of(old_image.metadata) == label else _find_newest(api, label)
    images.require_public_allowed(api, declared, image)
    if image is not None:
        return _plan_existing(api, image, declared, all_aliases) + _plan_delete_old(
            api, old_image, image, all_aliases, delete_old
        )
    note = ""
    if result is not None and origin.status(result, force) != "Stopped":
        note = f"{name} is stopped for the publication and started again"
    old_label = (label_of(old_image.metadata) or old_image.metadata["fingerprint"]) if old_image is not None else None

    def apply():
        publish(api, name, declared, all_aliases, compression, force, timeout)

    publication = Step("published", {"published": {"old": old_label, "new": label}}, apply, note, origin.missing)
    return [publication] + _plan_delete_old(api, old_image, None, all_aliases, delete_old)


def _plan_existing(api, image, declared, all_aliases) -> list[Step]:
    """Return the steps that update the fields and aliases of an existing image."""
    digest = image.metadata["fingerprint"]
    return [
        *converge.plan_changes(api, images.KIND, digest, declared, image),
        *images.plan_aliases(api, all_aliases, digest),
    ]


def _plan_delete_old(api, old_image, image, all_aliases, delete_old) -> list[Step]:
    """Return the steps that delete the alias's old image, if lxdapi published it and it has no other alias."""
    if not delete_old or old_image is None or old_image is image or not label_of(old_image.metadata):
        return []
    if {each["name"] for each in old_image.metadata.get("aliases") or ()} - set(all_aliases):
        return []
    return list(converge.plan_absent(api, "image", old_image.metadata["fingerprint"]))


def _read_image_of_alias(api, alias):
    digest = images.read_alias_target(api, alias)
    return None if digest is None else objects.read(api, images.KIND, digest)


def _find_newest(api, label):
    """Return the newest image with this label, None without one."""
    candidates = [each for each in list_images(api) if label_of(each) == label]
    if not candidates:
        return None
    return objects.read(api, images.KIND, max(candidates, key=lambda each: each["uploaded_at"])["fingerprint"])
