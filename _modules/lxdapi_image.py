"""
Verbs of LXD and Incus images and their aliases.

:depends: requests, requests-unixsocket; tqdm for a progress line on a terminal
"""

from lxdapi import hashing, local_files
from lxdapi.images import image as images
from lxdapi.minion import connection
from lxdapi.plan import converge
from lxdapi.plan import steps as plans


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
    api, cache_file = connection.connect(globals(), remote, project), __salt__["cp.cache_file"]
    files = [local_files.local_file(cache_file, part, saltenv) for part in (path, *([rootfs] if rootfs else ()))]
    digest = hashing.fingerprint(*files)
    wanted = {"public": public, "properties": properties}
    steps = images.present(api, digest, wanted, lambda: images.upload(api, *files, digest=digest), aliases or ())
    return {"fingerprint": digest, "changes": plans.apply(steps)}


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
    api = connection.connect(globals(), remote, project)
    digest = images.resolve(api, name)
    return plans.apply(converge.absent(api, "image", digest)) if digest else {}


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
    return plans.apply(images.alias_steps(connection.connect(globals(), remote, project), name, target, description))


def alias_delete(name, remote=None, project=None):
    """
    Delete the alias; its image stays. Returns what changed; nothing if there is none.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.alias_delete busybox
    """
    return plans.apply(converge.absent(connection.connect(globals(), remote, project), "image_alias", name))
