"""
Aliases of LXD and Incus images as declared.

:depends: requests, requests-unixsocket
"""

from lxdapi.images import image
from lxdapi.minion import state


def present(name, target, description=None, renamed_from=None, remote=None, project=None):
    """
    Ensure that an alias points at an image; one that points elsewhere is moved in one request, so
    that there is no moment without it.

    .. code-block:: yaml

        busybox:
          lxdapi_image_alias.present:
            - target: 3ad0a4b37f2d7b4e8ab1ad3d1a4ae1b6c2d63dc4a4e1b6c2d63dc4a4e1b6c2d6

    name
        Of the alias; it may hold ``/``.
    target
        The fingerprint of the image, all 64 digits.
    description
        Text; "" clears it.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
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
    Ensure that an alias does not exist; its image stays.

    .. code-block:: yaml

        busybox:
          lxdapi_image_alias.absent

    name
        Of the alias.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.absent(globals(), "image_alias", name, remote=remote, project=project)
