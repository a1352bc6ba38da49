"""
Storage buckets of LXD and Incus as declared: object storage (S3).

:depends: requests, requests-unixsocket; the API extension storage_buckets (LXD 5.5 or newer, every
    Incus); on a local pool a daemon that finds minio
"""

from lxdapi.minion import state


def present(name, description=None, config=None, sensitive=None, remote=None, project=None, target=None):
    """
    Ensure that a storage bucket exists with the given settings.

    .. code-block:: yaml

        default/backups:
          lxdapi_storage_bucket.present:
            - description: of the shop
            - config:
                size: 10GiB

    name
        ``POOL/BUCKET``.
    description
        Text; "" clears it.
    config
        A mapping of keys to values. Other keys are left alone; ``null`` removes one; an empty mapping
        removes all but ``volatile.*``.
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
    declared = {"description": description, "config": config}
    return state.present(
        globals(), "storage_bucket", name, declared, remote=remote, project=project, target=target, sensitive=sensitive
    )


def absent(name, remote=None, project=None, target=None):
    """
    Ensure that a storage bucket does not exist.

    .. code-block:: yaml

        default/backups:
          lxdapi_storage_bucket.absent

    name
        ``POOL/BUCKET``.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    target
        The member of the cluster that it is on, where more than one has one of that name.
    """
    return state.absent(globals(), "storage_bucket", name, remote=remote, project=project, target=target)
