"""
Aliases of LXD and Incus images as declared.

:depends: requests, requests-unixsocket
"""

try:
    from lxdapi.images import image as images
    from lxdapi.minion import connection as front
    from lxdapi.minion import state_run as runs
    from lxdapi.plan import converge
    from lxdapi.plan import steps as plans
except ImportError as exc:
    front, _MISSING = None, exc

__version__ = "0.1.0"


def __virtual__():
    """Load if the library of lxdapi and what it needs can be imported."""
    if front is None:
        return False, f"lxdapi: {_MISSING}; it needs requests and requests-unixsocket (README, Dependencies)"
    return front.loadable(__version__)


def _api(remote, project):
    return front.connect(__salt__, __context__, remote, project)


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
    remote, project
        See the README, Remotes.
    """
    return plans.state(
        "image_alias",
        name,
        runs.of(globals()),
        lambda: images.alias_steps(_api(remote, project), name, target, description, renamed_from),
    )


def absent(name, remote=None, project=None):
    """
    Ensure that an alias does not exist; its image stays.

    .. code-block:: yaml

        busybox:
          lxdapi_image_alias.absent

    name
        Of the alias.
    remote, project
        See the README, Remotes.
    """
    return plans.state(
        "image_alias",
        name,
        runs.of(globals()),
        lambda: converge.absent(_api(remote, project), "image_alias", name),
    )
