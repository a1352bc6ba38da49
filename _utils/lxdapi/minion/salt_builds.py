"""
Images of instances that states were applied to: from the globals of a front to the image.
"""

import fcntl
import os
from contextlib import contextmanager

from lxdapi import validation
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.fleet import declaration
from lxdapi.minion import connection, salt_sessions
from lxdapi.salt_inside import image_build, report, start


def build(names, image, base, call, instance, published, compression, dryrun, python, sealed, remote, project):
    """
    Create an instance, apply states inside, publish it under the alias, and delete it. Returns the fingerprint, the
    changes of the states by their ids, and a comment.

    names
        The globals of the front.
    call
        (function, args, kwargs) that applies the states.
    base
        The source of the instance.
    instance
        Mapping of parameters of ``lxdapi_instance.present`` for it.
    published
        The fields of the image.
    dryrun
        True: publish nothing; the fingerprint is None.
    """
    validation.check("any", "image alias", image)
    dryrun, python = validation.flag("dryrun", dryrun), start.parse_python(python)
    name = image_build.instance_name(image, (names["__opts__"]["id"], remote, project))
    spec = _parse_instance(name, image, base, instance)
    api, (function, args, kwargs) = connection.connect(names, remote, project), call
    with _alone(names, name, image), image_build.temporary_instance(api, name, image, spec):
        where = {"keep": False, "minion_id": image.replace("/", "-"), "sealed": sealed}
        with salt_sessions.use(names, name, python, remote, project, **where) as session:
            found = report.summarize(session.call(function, args, kwargs).value, False)
        if found.result is False:
            raise LxdapiError(f"image {image}: {found.comment}")
        digest = None if dryrun else image_build.publish(api, name, image, published, compression)
    return {"fingerprint": digest, "changes": found.changes, "comment": found.comment}


def _parse_instance(name, image, base, instance):
    """Return the :class:`lxdapi.instances.spec.InstanceSpec` of the instance."""
    ours = {"source": base, "running": True, "ephemeral": False, "absent": False, "config": {image_build.KEY: image}}
    return declaration.parse_definitions({name: ours}, instance, "instance")[name].spec


@contextmanager
def _alone(names, name, image):
    """Hold a lock, so that two builds of this minion do not use the same instance."""
    folder = salt_sessions.store_folder(names["__opts__"])
    os.makedirs(folder, 0o700, exist_ok=True)
    with open(os.path.join(folder, f"{name}.lock"), "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidError(f"image {image}: another build of it is running") from None
        yield
