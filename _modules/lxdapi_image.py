"""
Operations on LXD and Incus images and their aliases: upload, publish, export, copy and delete.

:depends: requests, requests-unixsocket; tqdm for a progress line on a terminal
"""

from lxdapi import hashing, local_files
from lxdapi.errors import InvalidError
from lxdapi.images import image, servers, simplestreams, transfer
from lxdapi.images import publish as publications
from lxdapi.minion import connection
from lxdapi.plan import converge
from lxdapi.plan import steps as plans

__version__ = "0.1.0"


def upload(path, rootfs=None, aliases=None, public=None, properties=None, saltenv="base", remote=None, project=None):
    """
    Ensure that the image of a file exists, with the given aliases. Returns its fingerprint and the changes.

    path
        The unified image (a tarball), or the metadata of a split one: a path, ``salt://`` or
        ``http(s)://``.
    rootfs
        Second file of a split image. Default: a unified image.
    aliases
        List of aliases that point at the image. Default: none.
    public
        Whether everyone who can reach the daemon may read the image. Default: unchanged; a new image is not public.
    properties
        Mapping of properties, added to those in the metadata of the image. Default: none.
    saltenv
        Salt environment of ``salt://`` sources. Default: ``base``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.upload /srv/images/busybox.tar.gz aliases='["busybox"]'
    """
    api, cache_file = connection.connect(globals(), remote, project), __salt__["cp.cache_file"]
    files = [local_files.local_file(cache_file, part, saltenv) for part in (path, *([rootfs] if rootfs else ()))]
    digest = hashing.fingerprint(*files)
    declared = {"public": public, "properties": properties}
    steps = image.plan_present(api, digest, declared, lambda: image.upload(api, *files, digest=digest), aliases or ())
    return {"fingerprint": digest, "changes": plans.apply(steps)}


def delete(name, remote=None, project=None):
    """
    Delete an image and its aliases. Returns the changes, which are empty if it does not exist.

    name
        Alias or fingerprint.

    Instances that were created from the image keep working.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.delete busybox
    """
    api = connection.connect(globals(), remote, project)
    digest = image.resolve(api, name)
    return plans.apply(converge.plan_absent(api, "image", digest)) if digest else {}


def alias_set(name, target, description=None, remote=None, project=None):
    """
    Point an alias at an image; an existing alias is changed in one request. Returns the changes.

    target
        Fingerprint of the image.
    description
        Description. Default: unchanged.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.alias_set busybox 3ad0a4b37f2d7b4e8ab1ad3d1a4ae1b6c2d63dc4a4e1b6c2d63dc4a4e1b6c2d6
    """
    return plans.apply(image.plan_alias(connection.connect(globals(), remote, project), name, target, description))


def alias_delete(name, remote=None, project=None):
    """
    Delete an alias; its image stays. Returns the changes, which are empty if the alias does not exist.

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
    Publish an image from an instance or a snapshot. Returns its fingerprint.

    instance
        ``INSTANCE`` or ``INSTANCE/SNAPSHOT``.
    aliases
        List of aliases that point at the image; existing aliases are moved to it. Default: none.
    public
        Whether everyone who can reach the daemon may read the image. Default: false.
    properties
        Mapping of properties. Default: none.
    expires_at
        Time after which the daemon may delete the image, such as ``2030-01-31T00:00:00Z``. Default: never.
    compression
        Compression of the image: ``gzip``, ``zstd``, ``none`` or another algorithm. Default: the setting of the server.
    force
        Whether to stop a running instance for the publication and start it again. Otherwise a running instance is an
        error. Default: false.
    timeout
        Seconds to wait for the operation. Default: 3600.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.publish web1 aliases='["web-golden"]'
    """
    declared = {"public": public, "properties": properties, "expires_at": expires_at}
    api = connection.connect(globals(), remote, project)
    return publications.publish(api, instance, declared, aliases or (), compression, force, timeout)


def export(name, path, rootfs=None, remote=None, project=None):
    """
    Write an image to a file, or a split image to two files. Returns its fingerprint and the paths.

    name
        Alias or fingerprint.
    path
        Absolute path on the minion, of the unified image or of the metadata of a split image. In a directory, the
        fingerprint becomes the name of the file. An existing file is replaced once the new file is complete and has the
        fingerprint of the image. Only its owner may read the file.
    rootfs
        Path of the second file of a split image. Default: ``path`` with the suffix ``.root``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.export busybox /srv/backups/busybox.tar.gz
    """
    return transfer.export(connection.connect(globals(), remote, project), name, path, rootfs)


def refresh(name, remote=None, project=None):
    """
    Make the daemon look for a newer version of an image at its source. Returns whether it found one, and the
    fingerprint of the image.

    name
        Alias, which points at the newer image afterwards, or fingerprint. Raises an error for an image without a
        source: only an image that the daemon fetched by an alias of another server has one.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.refresh debian/12
    """
    return transfer.refresh(connection.connect(globals(), remote, project), name)


def copy(name, source, aliases=None, mode=None, timeout=None, source_project=None, remote=None, project=None):
    """
    Copy an image of another daemon to this one, with its settings. Returns its fingerprint and the changes. The copy of
    a public image is private in a project of LXD 6.8 or newer other than ``default``.

    name
        Alias or fingerprint on the other daemon.
    source
        Remote of the other daemon, under ``lxdapi:remotes``.
    aliases
        List of aliases that point at the image on this daemon. Default: none.
    mode
        ``pull`` (this daemon fetches the image from the other daemon, which must listen on the network) or ``relay``
        (the image passes through the cache directory of the minion). Default: ``pull`` if it works.
    timeout
        Seconds to wait for the operation. Default: 3600.
    source_project
        Project on the other daemon. Default: the project of the remote, or ``default``.

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
    Delete the images that the daemon fetched for an instance and that no instance of any project uses any longer.
    Returns them as ``unused``, and whether they were ``deleted``.

    days
        Only delete images that have been unused for this number of days. Default: 0.
    test
        Whether to return the images without deleting them. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.prune days=30 test=true
    """
    api = connection.connect(globals(), remote, project)
    unused = transfer.list_unused(api, days)
    for each in [] if test else unused:
        plans.apply(converge.plan_absent(api, "image", each["fingerprint"]))
    return {"unused": unused, "deleted": not test}


def products(server, alias=None, architecture=None, certificate=None, remote=None):
    """
    Return the images that a simplestreams server offers: the newest image of each product and type.

    server
        URL of the server, such as ``https://images.example.com``, or a name, such as ``images``: see ``source`` of
        ``lxdapi_image.present``.
    alias
        Only return images with this alias. Default: all images.
    architecture
        Only return images for this architecture, such as ``x86_64``. Default: all architectures.
    certificate
        Certificate of the server, as PEM text or the path of a file. Default: the authorities of the system verify the
        server.
    remote
        Name of a remote under ``lxdapi:remotes``; the kind of its daemon decides which server the name means. Default:
        the local daemon.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_image.products https://images.example.com alias=debian/12
        salt-call lxdapi_image.products images alias=debian/12
    """
    if isinstance(server, str) and "/" not in server:
        settings = servers.settings_of(connection.connect(globals(), remote), server)
        if settings["protocol"] != servers.SIMPLESTREAMS:
            raise InvalidError(
                f"{server} cannot list its images: expected protocol simplestreams, got {settings['protocol']}"
            )
        server, certificate = settings["server"], certificate or settings.get("certificate")
    return simplestreams.Server(server, certificate).newest(alias, architecture)
