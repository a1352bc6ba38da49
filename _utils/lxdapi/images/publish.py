"""
Images made of instances and their snapshots.

What an image was made of says a property of it: the name, when that was created, and a mark of the publication.
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
    An instance, or a snapshot of one, that an image is made of.

    name
        ``web1`` or ``web1/snap0``.
    """

    def __init__(self, api, name):
        self._api, self.name = api, name
        self.is_snapshot = isinstance(name, str) and "/" in name
        self.kind = KINDS["instance_snapshot" if self.is_snapshot else "instance"]
        objects.path_of(self.kind, name)

    def read(self):
        """Return the result of its GET, None if it is not there."""
        if self.is_snapshot:
            return objects.read(self._api, self.kind, self.name)
        return partial_creation.wait_until_created(self._api, self.name)

    def require(self):
        """Return the result of its GET; raises :class:`InvalidError` if it is not there."""
        current = self.read()
        if current is None:
            raise InvalidError(self.missing())
        return current

    def missing(self):
        """Return in words that it is not there, "" if it is."""
        return "" if self.read() is not None else f"there is no {self.kind.label} {self.name}"

    def label(self, current):
        """Return what the property says of it, but for the mark: the name, and when it was created."""
        return f"{self.name} {current.metadata['created_at']}" if current is not None else self.name

    def status(self, current, force):
        """Return its status, ``Stopped`` for a snapshot; raises :class:`InvalidError` if it may not be stopped."""
        if self.is_snapshot:
            return "Stopped"
        current = power.wait_until_stable(self._api, self.name, current)
        here = power.status(current)
        if here != "Stopped" and not force:
            raise InvalidError(f"{self.name} is {here}; force: True stops it for that and starts it again")
        power.require_not_ephemeral(current, "Stopped")
        return here


def label_of(image):
    """Return what an image, as the daemon has it, was made of by lxdapi, see :meth:`Origin.words`; "" for nothing."""
    return (image.get("properties") or {}).get(PROPERTY, "").rpartition(" ")[0]


def publish(api, name, wanted, aliases=(), compression=None, force=False, timeout=None):
    """
    Make an image of an instance or a snapshot, give it the aliases, and return its fingerprint.

    name
        See :class:`PublishSource`.
    wanted
        Its fields: ``properties``, ``public``, ``expires_at``.
    compression
        ``gzip``, ``zstd``, ``none``, ...; None: as the server has it set.
    force
        True: an instance that runs is stopped for it, and brought back to its status. False: that is refused, as the
        daemon does ("Cannot export a running instance as an image").
    timeout
        Seconds; 3600.

    An answer that was lost is settled by looking for the image with our mark.
    """
    origin, force, timeout = (
        PublishSource(api, name),
        validation.truth("force", force or False),
        validation.parse_seconds(timeout),
    )
    # before anything is made: a text would be an alias for each of its letters
    aliases = images.parse_aliases(aliases)
    wanted, current = diff.normalize(images.KIND, wanted), origin.require()
    origin.status(current, force)
    make = partial(_publish_verified, api, origin, current, wanted, compression, timeout)
    digest = make() if origin.is_snapshot or not force else power.while_stopped(api, name, make)
    for alias in aliases:
        steps.apply(images.plan_alias(api, alias, digest))
    return digest


def _publish_verified(api, origin, current, wanted, compression, timeout):
    mark = f"{origin.label(current)} {random.token_hex(6)}"
    properties = {**(wanted.get("properties") or {}), PROPERTY: mark}
    source = {"type": "snapshot" if origin.is_snapshot else "instance", "name": origin.name}
    body = {**diff.create_body(images.KIND, {**wanted, "properties": properties}), "source": source}
    if compression is not None:
        body["compression_algorithm"] = compression
    return retry.write_verified(api, partial(_publish, api, body, timeout), partial(_verify_published, api, mark))


def _publish(api, body, timeout):
    done = api.post("images", json=body).wait(PUBLISH_SECONDS if timeout is None else timeout)
    found = ((done.metadata or {}).get("metadata") or {}).get("fingerprint")
    if not validation.is_fingerprint(found):
        raise APIProtocolException(done, "the daemon does not say which image it made")
    return found


def _verify_published(api, mark):
    """Return the fingerprint of the image with our mark, once no image is being made any more; None for none."""
    patience = retry.Backoff(api.wait_timeout)
    while images.is_importing(api) and patience.sleep():
        pass
    found = [each["fingerprint"] for each in list_images(api) if (each.get("properties") or {}).get(PROPERTY) == mark]
    return found[0] if found else None


def list_images(api):
    """Return all images of the project."""
    return api.get("images", params={"recursion": 1}).metadata or []


def plan_present(api, alias, name, wanted, aliases=(), compression=None, force=False, delete_old=False, timeout=None):
    """
    Return the steps to an alias that points at an image made of an instance or a snapshot.

    name
        ``web1`` or ``web1/snap0``: an image of another one, or of one that was created anew under its name, is not it.
    wanted
        The image's declared fields.
    delete_old
        True: an image made by lxdapi that the alias pointed at before is deleted.

    For the others see :func:`publish`. An image that was made of it before and lost its alias gets it.
    """
    validation.check("any", "image alias", alias)
    force, delete_old = validation.truth("force", force or False), validation.truth("delete_old", delete_old or False)
    origin, wanted, named = (
        PublishSource(api, name),
        diff.normalize(images.KIND, wanted),
        images.parse_aliases([alias, *images.parse_aliases(aliases)]),
    )
    current, old = origin.read(), _read_image_of_alias(api, alias)
    words = origin.label(current)
    found = old if old is not None and label_of(old.metadata) == words else _find_newest(api, words)
    if found is not None:
        return _plan_existing(api, found, wanted, named) + _plan_delete_old(api, old, found, named, delete_old)
    note = ""
    if current is not None and origin.status(current, force) != "Stopped":
        note = f"{name} is stopped for that and started again"
    before = (label_of(old.metadata) or old.metadata["fingerprint"]) if old is not None else None

    def apply():
        publish(api, name, wanted, named, compression, force, timeout)

    made = Step("published", {"published": {"old": before, "new": words}}, apply, note, origin.missing)
    return [made] + _plan_delete_old(api, old, None, named, delete_old)


def _plan_existing(api, found, wanted, named):
    """Return the steps that give an image its fields and its aliases."""
    digest = found.metadata["fingerprint"]
    return [*converge.plan_changes(api, images.KIND, digest, wanted, found), *images.plan_aliases(api, named, digest)]


def _plan_delete_old(api, old, found, named, wished):
    """Return the steps that delete the image that an alias pointed at, if lxdapi made it and nobody else names it."""
    if not wished or old is None or old is found or not label_of(old.metadata):
        return []
    if {each["name"] for each in old.metadata.get("aliases") or ()} - set(named):
        return []
    return list(converge.plan_absent(api, "image", old.metadata["fingerprint"]))


def _read_image_of_alias(api, alias):
    digest = images.read_alias_target(api, alias)
    return None if digest is None else objects.read(api, images.KIND, digest)


def _find_newest(api, words):
    """Return the newest image that was made of it, None for none."""
    found = [each for each in list_images(api) if label_of(each) == words]
    if not found:
        return None
    return objects.read(api, images.KIND, max(found, key=lambda each: each["uploaded_at"])["fingerprint"])
