"""
Idempotent shortcuts for scripts; the HTTP transaction stays visible.

.. code-block:: python

    from lxdapi.api import API
    from lxdapi.shortcuts import container_absent, container_get

    api = API.factory()
    container_absent(api, container_get(api, "web1"))

Each takes an :class:`lxdapi.api.API` first and returns True if something changed, False if not.
The ``_get`` functions return the :class:`lxdapi.api.APIResult` of the GET, or False.
"""

from lxdapi import hashing
from lxdapi.errors import InvalidError
from lxdapi.images import image
from lxdapi.instances import create, plan, power, sources
from lxdapi.model import diff, objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan import steps as plans

image_get_fingerprint = hashing.fingerprint


def _apply(steps):
    return bool(plans.apply(steps))


def container_get(api, name):
    """Return the result of the GET of an instance, False if it does not exist."""
    return objects.read(api, KINDS["instance"], name) or False


def container_absent(api, container):
    """
    Delete the instance if it exists, a running one too; return True if it was deleted.

    container
        The result of :func:`container_get`.
    """
    return bool(container) and _apply(plan.plan_absent(api, container.metadata["name"], force=True))


def container_apply_config(api, container, config):
    """
    Create the instance, or update what differs; return True if something changed.

    container
        The result of :func:`container_get`; False creates the instance.
    config
        The dict for the HTTP API, as for a POST: ``name``, ``source``, ``profiles``, ``config``,
        ``devices``, ... ``source`` and the fields that a PUT ignores matter only for the creation, which requires
        ``source``: ``{"type": "none"}`` creates an empty instance.
    """
    kind = KINDS["instance"]
    name = config.get("name") or (container and container.metadata["name"])
    known = kind.fields + kind.create_only
    declared = diff.normalize(kind, {key: value for key, value in config.items() if key in known})
    if not container:
        extra = {key: value for key, value in config.items() if key not in (*known, "name", "source")}
        source = sources.parse_source(config.get("source"))
        sources.require_declared(source)
        create.create(api, name, declared, source, extra=extra)
        return True
    return _apply(converge.plan_changes(api, kind, container.metadata["name"], declared, container))


def container_apply_status(api, container, status):
    """
    Bring the instance to a status; return True if it had another.

    status
        ``Running``, ``Stopped`` or ``Frozen``.
    """
    if not container:
        raise InvalidError("the instance does not exist, so its status cannot be changed; create it first")
    return _apply(power.plan_status(api, container.metadata["name"], status))


def image_get(api, fingerprint):
    """Return the result of the GET of an image, False if it does not exist."""
    return objects.read(api, KINDS["image"], fingerprint) or False


def image_present(api, path, fingerprint=None, rootfs=None, public=False):
    """
    Upload the image file if the daemon has no image with its fingerprint; return True if it was uploaded.

    fingerprint
        Saves computing it; the daemon refuses a file with another fingerprint.
    rootfs
        The second file of a split image.
    public
        True: every client that reaches the daemon may read it.
    """
    digest = fingerprint or image_get_fingerprint(path, rootfs)
    if image_get(api, digest):
        return False
    image.upload(api, path, rootfs, digest, public)
    return True


def image_absent(api, fingerprint):
    """Delete the image if it exists; return True if it was deleted."""
    return _apply(converge.plan_absent(api, "image", fingerprint))


def image_alias_present(api, name, target, description=None):
    """Make the alias point to the image with the fingerprint ``target``; return True if it did not before."""
    return _apply(image.plan_alias(api, name, target, description))
