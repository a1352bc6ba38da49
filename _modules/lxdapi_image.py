"""
Verbs of LXD and Incus images and their aliases.

:depends: requests, requests-unixsocket; tqdm for a progress line on a terminal
"""

try:
    from lxdapi.images import image as images
    from lxdapi.minion import connection as front
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


def upload(path, rootfs=None, aliases=None, public=None, properties=None, saltenv="base", remote=None, project=None):
    """
    Make the image of a file exist, with these aliases. Returns its fingerprint and what changed.

    path
        The unified image (a tarball), or the metadata of a split one: a path, ``salt://`` or
        ``http(s)://``.
    rootfs
        The second file of a split image.
    aliases
        Names that shall point at it.
    public
        True: everybody who reaches the daemon may read it. None: a new image is not public.
    properties
        A mapping, added to those of the image's own metadata.
    saltenv
        Of ``salt://`` sources; ``base``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.upload /srv/images/busybox.tar.gz aliases='["busybox"]'
    """
    api, cache_file = _api(remote, project), __salt__["cp.cache_file"]
    files = [front.local_file(cache_file, part, saltenv) for part in (path, *([rootfs] if rootfs else ()))]
    digest = images.fingerprint(*files)
    wanted = {"public": public, "properties": properties}
    steps = images.present(api, digest, wanted, lambda: images.upload(api, *files, digest=digest), aliases or ())
    return {"fingerprint": digest, "changes": plans.do(steps)}


def delete(name, remote=None, project=None):
    """
    Delete the image with its aliases. Returns what changed; nothing if there is none.

    name
        An alias or a fingerprint.

    Instances made from it keep working.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.delete busybox
    """
    api = _api(remote, project)
    digest = images.resolve(api, name)
    return plans.do(converge.absent(api, "image", digest)) if digest else {}


def alias_set(name, target, description=None, remote=None, project=None):
    """
    Make the alias point at an image; an existing one is moved in one request. Returns what changed.

    target
        The fingerprint of the image.
    description
        Text; None leaves it alone.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.alias_set busybox 3ad0a4b37f2d7b4e8ab1ad3d1a4ae1b6c2d63dc4a4e1b6c2d63dc4a4e1b6c2d6
    """
    return plans.do(images.alias_steps(_api(remote, project), name, target, description))


def alias_delete(name, remote=None, project=None):
    """
    Delete the alias; its image stays. Returns what changed; nothing if there is none.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.alias_delete busybox
    """
    return plans.do(converge.absent(_api(remote, project), "image_alias", name))
