"""
Custom storage volumes of LXD and Incus.

:depends: requests, requests-unixsocket
"""

from functools import partial

from lxdapi import local_files
from lxdapi.instances import iso_volumes
from lxdapi.minion import state

__version__ = "0.1.0"


def present(
    name,
    content_type=None,
    description=None,
    config=None,
    source=None,
    renamed_from=None,
    timeout=None,
    saltenv=None,
    sensitive=None,
    remote=None,
    project=None,
    target=None,
):
    """
    Ensure that a custom storage volume exists with the given settings.

    .. code-block:: yaml

        default/data:
          lxdapi_storage_volume.present:
            - description: of the shop
            - config:
                size: 10GiB
                user.owner: shop

        default/installer:
          lxdapi_storage_volume.present:
            - content_type: iso
            - source: salt://iso/installer.iso

    name
        ``POOL/VOLUME``. A device attaches the volume to an instance: ``{type: disk, pool: POOL, source: VOLUME, path:
        /data}``.
    content_type
        ``filesystem``, ``block`` or ``iso``. It cannot be changed later. ``iso`` requires the API extension
        ``custom_volume_iso``, which LXD 5.0.2 lacks. Default: ``filesystem`` for a new volume.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` removes a key; an empty
        mapping removes all keys except ``volatile.*``. Default: unchanged.
    source
        Source of a new volume, in the form of the REST API: ``{type: copy, pool: default, name: other}``. For an iso
        volume, the iso file: a path on the minion, a ``salt://`` URL or an ``http(s)://`` URL. The source of an
        existing volume is not compared. Default: an empty volume; a new iso volume requires a source.
    renamed_from
        Former name: if nothing exists under ``name``, the state renames the resource with the former name. Default: no
        rename.
    timeout
        Seconds for the daemon to write an iso volume after the upload. Default: 3600.
    saltenv
        Salt environment of a ``salt://`` source. Default: the environment of the SLS.
    sensitive
        Further keys of ``config`` to mask in changes, comments and errors: a list of names or shell-style patterns
        (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    target
        Name of the cluster member to create a new resource on, or that an existing resource is on. For an existing
        resource, only needed if several members have a resource with this name. Default: chosen by the daemon.
    """
    declared = {"content_type": content_type, "description": description, "config": config, "source": source}
    if isinstance(source, str):
        fetch = partial(_fetch, state.saltenv_of(globals(), saltenv))
        return state.run(
            globals(),
            "storage_volume",
            name,
            lambda api: iso_volumes.plan_present(api, name, declared, fetch, renamed_from, timeout),
            remote,
            project,
            target,
            sensitive,
        )
    return state.present(
        globals(),
        "storage_volume",
        name,
        declared,
        renamed_from=renamed_from,
        remote=remote,
        project=project,
        target=target,
        sensitive=sensitive,
    )


def _fetch(saltenv, source):
    """Return the path of the source on the minion."""
    return local_files.local_file(__salt__["cp.cache_file"], source, saltenv)


def absent(name, remote=None, project=None, target=None):
    """
    Ensure that a custom storage volume does not exist. Its snapshots are deleted too. The daemon does not delete a
    volume that is in use.

    .. code-block:: yaml

        default/data:
          lxdapi_storage_volume.absent

    name
        ``POOL/VOLUME``.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    target
        Name of the cluster member that the resource is on. Default: found by the daemon, unless several members have a
        resource with this name.
    """
    return state.absent(globals(), "storage_volume", name, remote=remote, project=project, target=target)
