"""
Images of LXD and Incus as declared: from files, from other servers, made of instances and their snapshots.

:depends: requests, requests-unixsocket; tqdm for a progress line on a terminal
"""

from lxdapi import hashing, local_files, validation
from lxdapi.errors import InvalidError
from lxdapi.http import upload
from lxdapi.images import image, publish
from lxdapi.images import remote as remote_images
from lxdapi.minion import connection, state
from lxdapi.model import objects
from lxdapi.plan import converge, steps


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
    Ensure that the image of a file exists under an alias, with the given settings.

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
            - source:
                server: https://images.example.com
                alias: debian/13
            - auto_update: true

    name
        The alias that shall point at the image; or its fingerprint, for an image without alias.
    source
        The unified image (a tarball), or the metadata of a split one: a path on the minion,
        ``salt://`` or ``http(s)://``. A mapping: the daemon itself fetches it from another server: ``server`` and
        ``alias`` or ``fingerprint``; ``protocol`` (``simplestreams``; or ``lxd``, ``incus``), ``certificate`` of the
        server (PEM text or a path), ``image_type`` (``container`` or ``virtual-machine``), ``secret``. None: the image
        is there already, only its settings are declared.
    rootfs
        The second file of a split image, likewise.
    fingerprint
        The sha256 of the image (of both files, one after the other, for a split one). If the image
        is there, its source is not even fetched; without it, an ``http`` source is asked for
        changes in each run. A file of another fingerprint is refused.
    aliases
        More names that shall point at it. Aliases that are not named are left alone.
    public
        True: everybody who reaches the daemon may read it. None: a new image is not public.
    auto_update
        True: the daemon follows the image's source; what it has is as good then. Without it the minion asks the server
        of a mapping, in each run, which image the alias means, and has the daemon fetch a newer one.
    expires_at
        A time such as ``2030-01-31T00:00:00Z``, after which the daemon may remove the image; "" for
        never.
    properties
        A mapping, of which other keys are left alone; ``null`` removes one.
    profiles
        A list of profiles for instances made from it without any.
    purge
        True: aliases of the image that are not named are removed.
    timeout
        Seconds for the daemon to unpack it after the upload, or to fetch it; 3600.
    saltenv
        Of ``salt://`` sources; None: that of the SLS.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.

    The fingerprint of an unchanged file is remembered in the minion's cache.
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
        if isinstance(source, dict):
            digest, send, check = _elsewhere(api, name, source, rootfs, fingerprint, auto_update, timeout)
        else:
            digest, send, check = _here(api, name, source, rootfs, fingerprint, timeout, saltenv or _saltenv())
        named = [] if validation.is_fingerprint(name) else [name]
        more = aliases if isinstance(aliases, list) else [] if aliases is None else [aliases]
        return image.plan_present(api, digest, wanted, send, named + more, check, purge)

    return state.run_plan(globals(), "image", name, plan)


def _saltenv():
    try:
        return __env__
    except NameError:  # called without a run
        return "base"


def _check(digest, source, rootfs):
    """Raise if the image cannot be sent: no source, or a file of this machine that is not there."""
    if not source:
        image.raise_missing(digest)
    for part in (source, rootfs):
        if part and "://" not in str(part):
            upload.open_file(part).close()


def _files(source, rootfs, saltenv):
    """Return a function that fetches the files when they are needed first, None without a source."""
    if not source:
        return None
    cache_file, found = __salt__["cp.cache_file"], []

    def files():
        if not found:
            found.extend(local_files.local_file(cache_file, part, saltenv) for part in (source, rootfs) if part)
        return found

    return files


def _digest(api, name, fingerprint, files):
    """Return the fingerprint that the image shall have: declared, or that of its files."""
    declared = fingerprint or (name if validation.is_fingerprint(name) else None)
    if declared:
        return validation.fingerprint(declared)
    if files is None:
        return image.require(api, name)
    return hashing.cached_fingerprint(*files(), memory=hashing.memory_file(__opts__["cachedir"]))


def _here(api, name, source, rootfs, fingerprint, timeout, saltenv):
    """Return (fingerprint, how to send it, how to see whether it can be sent) for an image of files."""
    files = _files(source, rootfs, saltenv)
    digest = _digest(api, name, fingerprint, files)
    return digest, lambda: _send(api, files, digest, timeout), lambda: _check(digest, source, rootfs)


def _elsewhere(api, name, source, rootfs, fingerprint, auto_update, timeout):
    """Return (fingerprint, how to fetch it, None) for an image of another server."""
    if rootfs:
        raise InvalidError("rootfs: an image of another server is fetched as it is there")
    if fingerprint:
        # of an alias the daemon could take another image by now
        source = {**{key: value for key, value in source.items() if key != "alias"}, "fingerprint": fingerprint}
    found = remote_images.parse_source(source)
    digest = remote_images.resolve(api, found, name, auto_update)
    return digest, lambda: remote_images.fetch(api, found, digest, timeout), None


def _send(api, files, digest, timeout):
    """Upload the files; their fingerprint is the declared one or nothing is kept."""
    image.upload(api, *files(), digest=digest, timeout=timeout)


def absent(name, remote=None, project=None):
    """
    Ensure that an image does not exist, with all of its aliases.

    .. code-block:: yaml

        busybox:
          lxdapi_image.absent

    name
        An alias or a fingerprint. Instances made from the image keep working.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
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
    Ensure that an alias points at an image that was made of an instance, or of a snapshot of one.

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
        The alias.
    instance
        The name of an instance, or ``INSTANCE/SNAPSHOT``. The image is made once; it is made anew where the instance or
        the snapshot was created anew under its name, so a snapshot that was taken again becomes another image. What
        happens inside an instance afterwards does not count: publish a snapshot, or delete the image. What an image was
        made of says its property ``lxdapi.published``.
    aliases
        A list of more names that shall point at it.
    public
        True: everybody who reaches the daemon may read it. None: a new image is not public.
    expires_at
        A time such as ``2030-01-31T00:00:00Z``, after which the daemon may remove the image; "" for never.
    properties
        A mapping, beside those of the instance's image, of which other keys are left alone.
    compression
        Of a new image: ``gzip``, ``zstd``, ``xz``, ``none``, ...; None: as the server has it set.
    force
        True: an instance that runs is stopped for it, and brought back to its status. False: that is an error, as
        both daemons refuse it. A snapshot can be published at any time.
    delete_old
        True: the image that the alias pointed at before is deleted, if it was made by this state and has no other
        alias.
    timeout
        Seconds for the publication; 3600.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
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
