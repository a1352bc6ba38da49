"""
Aliases of LXD and Incus images.

:depends: requests, requests-unixsocket
"""

from lxdapi.images import image
from lxdapi.minion import state

__version__ = "0.1.0"


def present(name, target, description=None, renamed_from=None, remote=None, project=None):
    """
    Ensure that an alias points at an image. An alias that points at another image is changed in one request, so that it
    always exists.

    .. code-block:: yaml

        busybox:
          lxdapi_image_alias.present:
            - target: 3ad0a4b37f2d7b4e8ab1ad3d1a4ae1b6c2d63dc4a4e1b6c2d63dc4a4e1b6c2d6

    name
        Name of the alias; it may contain ``/``.
    target
        Fingerprint of the image, all 64 digits.
    description
        Description; an empty string clears it. Default: unchanged.
    renamed_from
        Former name: if nothing exists under ``name``, the state renames the resource with the former name. Default: no
        rename.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.run(
        globals(),
        "image_alias",
        name,
        lambda api: image.plan_alias(api, name, target, description, renamed_from),
        remote=remote,
        project=project,
    )


def absent(name, remote=None, project=None):
    """
    Ensure that an image alias does not exist. The image stays.

    .. code-block:: yaml

        busybox:
          lxdapi_image_alias.absent

    name
        Name of the alias.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.absent(globals(), "image_alias", name, remote=remote, project=project)
