"""
Images of instances that states were applied to. The instance exists only during the build.
"""

import hashlib
import logging
from contextlib import contextmanager

from lxdapi.errors import LxdapiError
from lxdapi.images import publish as publications
from lxdapi.instances import partial_creation, plan, power
from lxdapi.plan import steps
from lxdapi.salt_inside import cleaning

log = logging.getLogger(__name__)

# The config key of the instance, with the alias of the image.
KEY = "user.lxdapi.build"


def instance_name(image, builder):
    """
    Return the name of the instance for an image, always the same one, so that a build finds what a killed one left.

    builder
        A tuple of texts that no other builder has.
    """
    return f"lxdapi-build-{hashlib.sha256(repr((image, *builder)).encode()).hexdigest()[:12]}"


@contextmanager
def temporary_instance(api, name, image, spec):
    """
    Create and start an instance for the block, and delete it afterwards, also after a failure.

    spec
        A :class:`lxdapi.instances.spec.InstanceSpec`, whose config has :data:`KEY`.

    Raises :class:`LxdapiError` if somebody else has an instance of this name.
    """
    _delete(api, name, image)
    try:
        steps.apply(plan.plan_present(api, name, spec))
        yield
    except BaseException:
        try:
            _delete(api, name, image)
        except LxdapiError as exc:  # the first failure counts; the next build deletes it
            log.warning("lxdapi: instance %s of a failed build was not deleted: %s", name, exc.explain())
        raise
    _delete(api, name, image)


def _delete(api, name, image):
    result = partial_creation.wait_until_created(api, name)
    if result is None:
        return
    if result.metadata["config"].get(KEY) != image or not partial_creation.mark_of(result):
        raise LxdapiError(f"instance {name} is not from a build of image {image}: rename it, or delete it")
    steps.apply(plan.plan_absent(api, name, force=True))


def publish(api, name, image, declared, compression=None):
    """
    Stop the instance, remove the files of lxdapi from it, and publish it; returns the fingerprint of the image.

    declared, compression
        See :func:`lxdapi.images.publish.publish`.
    """
    steps.apply(power.plan_status(api, name, "Stopped", force=True))
    cleaning.remove_all(api, name)
    return publications.publish(api, name, declared, [image], compression)
