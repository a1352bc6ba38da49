"""
Images of LXD and Incus: from files, from image servers, and published from instances and snapshots.

:depends: requests, requests-unixsocket; tqdm for a progress line on a terminal
"""

from lxdapi import hashing, local_files, validation
from lxdapi.errors import InvalidError
from lxdapi.http import upload
from lxdapi.images import image, publish, servers
from lxdapi.images import remote as remote_images
from lxdapi.minion import connection, state
from lxdapi.model import objects
from lxdapi.plan import converge, steps

__version__ = "0.1.0"


def present(
    name,
    source=None,
    rootfs=None,
    fingerprint=None,
    aliases=None,
    public=None,
    auto_update=None,
    expires_at=None,
    properties=None,
    profiles=None,
    purge=False,
    timeout=None,
    saltenv=None,
    remote=None,
    project=None,
):
    """
    Ensure that an image exists under an alias with the given settings.

    .. code-block:: yaml

        busybox:
          lxdapi_image.present:
            - source: salt://images/busybox.tar.gz
            - aliases:
              - busybox/1.36
            - properties:
                owner: web team

        debian/12:
          lxdapi_image.present:
            - source: https://images.example.com/debian-12-metadata.tar.xz
            - rootfs: https://images.example.com/debian-12.squashfs
            - fingerprint: 3ad0a4b37f2d7b4e8ab1ad3d1a4ae1b6c2d63dc4a4e1b6c2d63dc4a4e1b6c2d6

        debian/13:
          lxdapi_image.present:
            - source: images:debian/13
            - auto_update: true

        company/13:
          lxdapi_image.present:
            - source:
                server: https://images.example.com
                alias: debian/13
            - auto_update: true

    name
        Alias of the image, or its fingerprint for an image without an alias.
    source
        Source of the image. A string is the unified image (a tarball) or the metadata of a split image: a path on the
        minion, ``salt://`` or ``http(s)://``. A mapping makes the daemon fetch the image from another server:
        ``server``, and ``alias`` or ``fingerprint``; optional keys are ``protocol`` (``simplestreams``, ``lxd``,
        ``incus`` or ``oci``), ``certificate`` (of the server: PEM text or a path), ``image_type`` (``container`` or
        ``virtual-machine``) and ``secret``. The ``alias`` in a registry (``oci``) is ``REPOSITORY[:TAG]`` or
        ``REPOSITORY@sha256:DIGEST``; it requires the API extension ``instance_oci``. ``SERVER:ALIAS`` or
        ``SERVER:FINGERPRINT`` is short for such a mapping. ``images``, and with LXD also ``ubuntu``, ``ubuntu-daily``,
        ``ubuntu-minimal`` and ``ubuntu-minimal-daily``, are the servers that the command line client of the daemon
        knows by these names. ``lxdapi:image_servers`` (minion config, pillar or grains) adds names and overrides these:
        a mapping of names to URLs, or to mappings with ``server``, ``protocol`` and ``certificate``. Default: the image
        must already exist, and only its settings are declared.
    rootfs
        Second file of a split image, in the same forms as ``source``. Default: a unified image.
    fingerprint
        SHA-256 of the image; for a split image, of both files one after the other. A file with another fingerprint is
        rejected. If the image already exists, the source is not fetched at all. Default: computed from the source; an
        ``http`` source is then checked for changes in each run.
    aliases
        List of further aliases of the image. Other aliases stay unchanged unless ``purge`` is true. Default: none.
    public
        Whether everyone who can reach the daemon may read the image. Default: unchanged; a new image is not public.
    auto_update
        Whether the daemon itself updates the image from its source; the state then accepts the image that the daemon
        has. Without it, the state asks the image server in each run which image the alias means, and has the daemon
        fetch a newer one. Default: unchanged; false for a new image.
    expires_at
        Time after which the daemon may delete the image, such as ``2030-01-31T00:00:00Z``; an empty string means never.
        Default: unchanged.
    properties
        Mapping of properties. Properties that are not declared stay unchanged; ``null`` removes a property. Default:
        unchanged.
    profiles
        List of profiles for instances that are created from the image without profiles. Default: unchanged.
    purge
        Whether to remove aliases of the image that are not declared. Default: false.
    timeout
        Seconds for the daemon to unpack the image after the upload, or to fetch it. Default: 3600.
    saltenv
        Salt environment of ``salt://`` sources. Default: the environment of the SLS.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.

    The minion caches the fingerprints of unchanged files.
    """
    wanted = {
        "public": public,
        "auto_update": auto_update,
        "expires_at": expires_at,
        "properties": properties,
        "profiles": profiles,
    }

    def plan():
        api = connection.connect(globals(), remote, project)
        origin = servers.remote_source(api, source)
        if isinstance(origin, dict):
            digest, send, check = _elsewhere(api, name, origin, rootfs, fingerprint, auto_update, timeout)
        else:
            digest, send, check = _here(
                api, name, origin, rootfs, fingerprint, timeout, state.saltenv_of(globals(), saltenv)
            )
        named = [] if validation.is_fingerprint(name) else [name]
        more = aliases if isinstance(aliases, list) else [] if aliases is None else [aliases]
        return image.plan_present(api, digest, wanted, send, named + more, check, purge)

    return state.run_plan(globals(), "image", name, plan)


def _check(digest, source, rootfs):
    """Raise if the image cannot be sent: it has no source, or a local file does not exist."""
    if not source:
        image.raise_missing(digest)
    for part in (source, rootfs):
        if part and "://" not in str(part):
            upload.open_file(part).close()


def _files(source, rootfs, saltenv):
    """Return a function that fetches the files on its first call, or None without a source."""
    if not source:
        return None
    cache_file, found = __salt__["cp.cache_file"], []

    def files():
        if not found:
            found.extend(local_files.local_file(cache_file, part, saltenv) for part in (source, rootfs) if part)
        return found

    return files


def _digest(api, name, fingerprint, files):
    """Return the fingerprint of the image: the declared one, or that of its files."""
    declared = fingerprint or (name if validation.is_fingerprint(name) else None)
    if declared:
        return validation.fingerprint(declared)
    if files is None:
        return image.require(api, name)
    return hashing.cached_fingerprint(*files(), memory=hashing.memory_file(__opts__["cachedir"]))


def _here(api, name, source, rootfs, fingerprint, timeout, saltenv):
    """Return (fingerprint, function that sends the image, function that checks its files) for an image of files."""
    files = _files(source, rootfs, saltenv)
    digest = _digest(api, name, fingerprint, files)
    return digest, lambda: _send(api, files, digest, timeout), lambda: _check(digest, source, rootfs)


def _elsewhere(api, name, source, rootfs, fingerprint, auto_update, timeout):
    """Return (fingerprint, function that fetches the image, None) for an image of another server."""
    if rootfs:
        raise InvalidError("rootfs must not be combined with the image of another server")
    if fingerprint:
        source = remote_images.pin(source, fingerprint)
    found = remote_images.parse_source(source)
    digest = remote_images.resolve(api, found, name, auto_update)
    return digest, lambda: remote_images.fetch(api, found, digest, timeout), None


def _send(api, files, digest, timeout):
    """Upload the files; the daemon keeps nothing if their fingerprint is not the declared one."""
    image.upload(api, *files(), digest=digest, timeout=timeout)


def absent(name, remote=None, project=None):
    """
    Ensure that an image does not exist. Its aliases are deleted too.

    .. code-block:: yaml

        busybox:
          lxdapi_image.absent

    name
        Alias or fingerprint. Instances that were created from the image keep working.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """

    def plan():
        api = connection.connect(globals(), remote, project)
        digest = image.resolve(api, name)
        return (
            converge.plan_absent(api, "image", digest)
            if digest
            else steps.Plan((), "absent").with_note(objects.missing_project_reason(api))
        )

    return state.run_plan(globals(), "image", name, plan)


def published(
    name,
    instance,
    aliases=None,
    public=None,
    expires_at=None,
    properties=None,
    compression=None,
    force=False,
    delete_old=False,
    timeout=None,
    remote=None,
    project=None,
):
    """
    Ensure that an alias points at an image that was published from an instance or a snapshot.

    .. code-block:: yaml

        web-golden:
          lxdapi_image.published:
            - instance: web1
            - properties:
                owner: web team

        web-before:
          lxdapi_image.published:
            - instance: web1/before
            - compression: gzip
            - delete_old: true

    name
        Alias of the image.
    instance
        ``INSTANCE`` or ``INSTANCE/SNAPSHOT``. The image is published once. It is published again only if the instance
        or the snapshot was deleted and created again under the same name. Later changes inside an instance have no
        effect: publish a snapshot, or delete the image first. The image property ``lxdapi.published`` records the
        source.
    aliases
        List of further aliases of the image. Default: none.
    public
        Whether everyone who can reach the daemon may read the image. Default: unchanged; a new image is not public.
    expires_at
        Time after which the daemon may delete the image, such as ``2030-01-31T00:00:00Z``; an empty string means never.
        Default: unchanged.
    properties
        Mapping of properties, added to those of the instance's image. Properties that are not declared stay unchanged.
        Default: unchanged.
    compression
        Compression of a new image: ``gzip``, ``zstd``, ``xz``, ``none`` or another algorithm. Default: the setting of
        the server.
    force
        Whether to stop a running instance for the publication and start it again; otherwise the state fails, because no
        daemon publishes a running instance. A snapshot can always be published. Default: false.
    delete_old
        Whether to delete the image that the alias pointed at before, if this state published it and it has no other
        alias. Default: false.
    timeout
        Seconds to wait for the publication. Default: 3600.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    declared = {"public": public, "expires_at": expires_at, "properties": properties}
    options = {"compression": compression, "force": force, "delete_old": delete_old, "timeout": timeout}
    return state.run(
        globals(),
        "image",
        name,
        lambda api: publish.plan_present(api, name, instance, declared, aliases or (), **options),
        remote=remote,
        project=project,
    )
