"""
Custom storage volumes of LXD and Incus.

:depends: requests, requests-unixsocket
"""

from lxdapi.minion import state


def present(
    name,
    content_type=None,
    description=None,
    config=None,
    source=None,
    renamed_from=None,
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

    name
        ``POOL/VOLUME``. A device attaches the volume to an instance: ``{type: disk, pool: POOL, source: VOLUME, path:
        /data}``.
    content_type
        ``filesystem``, ``block`` or ``iso``. It cannot be changed later. Default: ``filesystem`` for a new volume.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` removes a key; an empty
        mapping removes all keys except ``volatile.*``. Default: unchanged.
    source
        Source of a new volume, in the form of the REST API: ``{type: copy, pool: default, name: other}``. The source of
        an existing volume is not compared. Default: an empty volume.
    renamed_from
        Former name: if nothing exists under ``name``, the state renames the resource with the former name. Default: no
        rename.
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
