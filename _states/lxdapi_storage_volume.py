"""
Custom storage volumes of LXD and Incus as declared.

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
        ``POOL/VOLUME``. An instance gets it by a device: ``{type: disk, pool: POOL, source: VOLUME, path: /data}``.
    content_type
        ``filesystem``, ``block`` or ``iso``; None: ``filesystem`` for a new one. Fixed once the volume exists.
    description
        Text; "" clears it.
    config
        A mapping of keys to values. Other keys are left alone; ``null`` removes one; an empty mapping
        removes all but ``volatile.*``.
    source
        What a new one is made from, as the REST API takes it: ``{type: copy, pool: default, name: other}``; None:
        it is empty. Not looked at afterwards.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    sensitive
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    target
        The member of the cluster that it is on, where more than one has one of that name or a new one
        shall be on that member.
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
    Ensure that a custom storage volume does not exist, with its snapshots; the daemon refuses one that is in use.

    .. code-block:: yaml

        default/data:
          lxdapi_storage_volume.absent

    name
        ``POOL/VOLUME``.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    target
        The member of the cluster that it is on, where more than one has one of that name.
    """
    return state.absent(globals(), "storage_volume", name, remote=remote, project=project, target=target)
