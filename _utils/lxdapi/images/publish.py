"""
Images made of instances and their snapshots.

What an image was made of says a property of it: the name, when that was created, and a mark of the publication.
"""

import secrets as random
from functools import partial

from lxdapi import validation as names
from lxdapi.errors import APIProtocolException, InvalidError
from lxdapi.http import retry
from lxdapi.images import image as images
from lxdapi.instances import partial_creation
from lxdapi.instances import power as statuses
from lxdapi.model import diff, objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan import steps as plans
from lxdapi.plan.steps import Step

PROPERTY = "lxdapi.published"
PUBLISH_SECONDS = 3600


class Origin:
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

    def current(self):
        """Return the result of its GET, None if it is not there."""
        if self.is_snapshot:
            return objects.read(self._api, self.kind, self.name)
        return partial_creation.wait_until_created(self._api, self.name)

    def existing(self):
        """Return the result of its GET; raises :class:`InvalidError` if it is not there."""
        current = self.current()
        if current is None:
            raise InvalidError(self.lacking())
        return current

    def lacking(self):
        """Return in words that it is not there, "" if it is."""
        return "" if self.current() is not None else f"there is no {self.kind.label} {self.name}"

    def words(self, current):
        """Return what the property says of it, but for the mark: the name, and when it was created."""
        return f"{self.name} {current.metadata['created_at']}" if current is not None else self.name

    def status(self, current, force):
        """Return its status, ``Stopped`` for a snapshot; raises :class:`InvalidError` if it may not be stopped."""
        if self.is_snapshot:
            return "Stopped"
        current = statuses.settled(self._api, self.name, current)
        here = statuses.status(current)
        if here != "Stopped" and not force:
            raise InvalidError(f"{self.name} is {here}; force: True stops it for that and starts it again")
        statuses.refuse_vanishing(current, "Stopped")
        return here


def made_of(image):
    """Return what an image, as the daemon has it, was made of by lxdapi, see :meth:`Origin.words`; "" for nothing."""
    return (image.get("properties") or {}).get(PROPERTY, "").rpartition(" ")[0]


def publish(api, name, wanted, aliases=(), compression=None, force=False, timeout=None):
    """
    Make an image of an instance or a snapshot, give it the aliases, and return its fingerprint.

    name
        See :class:`Origin`.
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
    origin, force, timeout = Origin(api, name), names.truth("force", force or False), names.seconds(timeout)
    # before anything is made: a text would be an alias for each of its letters
    aliases = images.alias_names(aliases)
    wanted, current = diff.normal(images.KIND, wanted), origin.existing()
    origin.status(current, force)
    make = partial(_settled, api, origin, current, wanted, compression, timeout)
    digest = make() if origin.is_snapshot or not force else statuses.while_stopped(api, name, make)
    for alias in aliases:
        plans.apply(images.alias_steps(api, alias, digest))
    return digest


def _settled(api, origin, current, wanted, compression, timeout):
    mark = f"{origin.words(current)} {random.token_hex(6)}"
    properties = {**(wanted.get("properties") or {}), PROPERTY: mark}
    source = {"type": "snapshot" if origin.is_snapshot else "instance", "name": origin.name}
    body = {**diff.created(images.KIND, {**wanted, "properties": properties}), "source": source}
    if compression is not None:
        body["compression_algorithm"] = compression
    return retry.settle(api, partial(_published, api, body, timeout), partial(_found_published, api, mark))


def _published(api, body, timeout):
    done = api.post("images", json=body).wait(PUBLISH_SECONDS if timeout is None else timeout)
    found = ((done.metadata or {}).get("metadata") or {}).get("fingerprint")
    if not names.is_fingerprint(found):
        raise APIProtocolException(done, "the daemon does not say which image it made")
    return found


def _found_published(api, mark):
    """Return the fingerprint of the image with our mark, once no image is being made any more; None for none."""
    patience = retry.Patience(api.wait_timeout)
    while images.is_importing(api) and patience.pause():
        pass
    found = [each["fingerprint"] for each in listed(api) if (each.get("properties") or {}).get(PROPERTY) == mark]
    return found[0] if found else None


def listed(api):
    """Return all images of the project."""
    return api.get("images", params={"recursion": 1}).metadata or []


def present(api, alias, name, wanted, aliases=(), compression=None, force=False, delete_old=False, timeout=None):
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
    names.check("any", "image alias", alias)
    force, delete_old = names.truth("force", force or False), names.truth("delete_old", delete_old or False)
    origin, wanted, named = (
        Origin(api, name),
        diff.normal(images.KIND, wanted),
        images.alias_names([alias, *images.alias_names(aliases)]),
    )
    current, old = origin.current(), _image_of(api, alias)
    words = origin.words(current)
    found = old if old is not None and made_of(old.metadata) == words else _made_before(api, words)
    if found is not None:
        return _there(api, found, wanted, named) + _rid(api, old, found, named, delete_old)
    note = ""
    if current is not None and origin.status(current, force) != "Stopped":
        note = f"{name} is stopped for that and started again"
    before = (made_of(old.metadata) or old.metadata["fingerprint"]) if old is not None else None

    def apply():
        publish(api, name, wanted, named, compression, force, timeout)

    made = Step("published", {"published": {"old": before, "new": words}}, apply, note, origin.lacking)
    return [made] + _rid(api, old, None, named, delete_old)


def _there(api, found, wanted, named):
    """Return the steps that give an image its fields and its aliases."""
    digest = found.metadata["fingerprint"]
    return [*converge.update_steps(api, images.KIND, digest, wanted, found), *images.aliased(api, named, digest)]


def _rid(api, old, found, named, wished):
    """Return the steps that delete the image that an alias pointed at, if lxdapi made it and nobody else names it."""
    if not wished or old is None or old is found or not made_of(old.metadata):
        return []
    if {each["name"] for each in old.metadata.get("aliases") or ()} - set(named):
        return []
    return list(converge.absent(api, "image", old.metadata["fingerprint"]))


def _image_of(api, alias):
    digest = images.target_of(api, alias)
    return None if digest is None else objects.read(api, images.KIND, digest)


def _made_before(api, words):
    """Return the newest image that was made of it, None for none."""
    found = [each for each in listed(api) if made_of(each) == words]
    if not found:
        return None
    return objects.read(api, images.KIND, max(found, key=lambda each: each["uploaded_at"])["fingerprint"])
