"""
Verbs of LXD and Incus images and their aliases: files, images made of instances, and those of other servers.

:depends: requests, requests-unixsocket; tqdm for a progress line on a terminal
"""

from lxdapi import hashing, local_files
from lxdapi.images import image, simplestreams, transfer
from lxdapi.images import publish as publications
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
    steps = image.plan_present(api, digest, wanted, lambda: image.upload(api, *files, digest=digest), aliases or ())
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
    digest = image.resolve(api, name)
    return plans.apply(converge.plan_absent(api, "image", digest)) if digest else {}


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
    return plans.apply(image.plan_alias(connection.connect(globals(), remote, project), name, target, description))


def alias_delete(name, remote=None, project=None):
    """
    Delete the alias; its image stays. Returns what changed; nothing if there is none.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.alias_delete busybox
    """
    return plans.apply(converge.plan_absent(connection.connect(globals(), remote, project), "image_alias", name))


def publish(
    instance,
    aliases=None,
    public=None,
    properties=None,
    expires_at=None,
    compression=None,
    force=False,
    timeout=None,
    remote=None,
    project=None,
):
    """
    Make an image of an instance or of a snapshot. Returns its fingerprint.

    instance
        The name of an instance, or ``INSTANCE/SNAPSHOT``.
    aliases
        A list of names that shall point at it; those that exist are moved.
    public
        True: everybody who reaches the daemon may read it.
    properties
        A mapping.
    expires_at
        A time such as ``2030-01-31T00:00:00Z``.
    compression
        ``gzip``, ``zstd``, ``none``, ...; None: as the server has it set.
    force
        True: an instance that runs is stopped for it and started again; else that is an error.
    timeout
        Seconds; 3600.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.publish web1 aliases='["web-golden"]'
    """
    wanted = {"public": public, "properties": properties, "expires_at": expires_at}
    api = connection.connect(globals(), remote, project)
    return publications.publish(api, instance, wanted, aliases or (), compression, force, timeout)


def export(name, path, rootfs=None, remote=None, project=None):
    """
    Write an image into a file, a split one into two. Returns its fingerprint and the files.

    name
        An alias or a fingerprint.
    path
        An absolute path on the minion: of the unified image, or of the metadata of a split one; of a directory: the
        file in it is called by the fingerprint. A file that is there is replaced, once the new one is whole and has the
        image's fingerprint; it is its owner's alone.
    rootfs
        The second file of a split image; None: beside the first, with ``.root`` at its end.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.export busybox /srv/backups/busybox.tar.gz
    """
    return transfer.export(connection.connect(globals(), remote, project), name, path, rootfs)


def refresh(name, remote=None, project=None):
    """
    Have the daemon look for a newer image where it has this one from. Returns whether there was one, and the
    fingerprint of the image.

    name
        An alias, which then points at the newer one, or a fingerprint. An image that the daemon did not fetch by an
        alias of another server has no source: that is an error.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.refresh debian/12
    """
    return transfer.refresh(connection.connect(globals(), remote, project), name)


def copy(name, source, aliases=None, mode=None, timeout=None, source_project=None, remote=None, project=None):
    """
    Bring an image of another daemon to this one, with its settings. Returns its fingerprint and what changed.

    name
        An alias or a fingerprint at the other daemon.
    source
        The remote, below ``lxdapi:remotes``, of the other daemon.
    aliases
        A list of names that it shall have here.
    mode
        ``pull``: this daemon fetches it from the other one, which has to listen on the network; ``relay``: it goes
        through the minion's cache directory; None: by pull where that works.
    timeout
        Seconds; 3600.
    source_project
        Of the other daemon.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.copy busybox source=build remote=local
    """
    origin = connection.connect(globals(), source, source_project)
    folder = local_files.cache_folder(__opts__["cachedir"])
    digest, steps = transfer.plan_copy(
        connection.connect(globals(), remote, project), origin, name, folder, aliases or (), mode, timeout
    )
    return {"fingerprint": digest, "changes": plans.apply(steps)}


def prune(days=0, test=False, remote=None, project=None):
    """
    Delete the images that the daemon fetched by itself for an instance and that no instance of any project is of any
    more. Returns them, as ``unused``, and whether they were ``deleted``.

    days
        Only those that were not used for so long.
    test
        True: nothing is deleted.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.prune days=30 test=true
    """
    api = connection.connect(globals(), remote, project)
    found = transfer.list_unused(api, days)
    for each in [] if test else found:
        plans.apply(converge.plan_absent(api, "image", each["fingerprint"]))
    return {"unused": found, "deleted": not test}


def products(server, alias=None, architecture=None, certificate=None):
    """
    Return what an image server that speaks simplestreams offers: the newest image of each product and type.

    server
        ``https://images.example.com``.
    alias
        Only those that have this alias.
    architecture
        Only those of it, such as ``x86_64``.
    certificate
        The server's certificate, as PEM text or in a file, if no authority that the system knows vouches for it.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.products https://images.example.com alias=debian/12
    """
    return simplestreams.Server(server, certificate).newest(alias, architecture)
