"""
Storage buckets of LXD and Incus: object storage (S3).

:depends: requests, requests-unixsocket; the API extension storage_buckets (LXD 5.5 or newer, every Incus); for a local
    pool, a daemon that finds minio
"""

from lxdapi.minion import state

__version__ = "0.1.0"


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
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` removes a key; an empty
        mapping removes all keys except ``volatile.*``. Default: unchanged.
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
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    target
        Name of the cluster member that the resource is on. Default: found by the daemon, unless several members have a
        resource with this name.
    """
    return state.absent(globals(), "storage_bucket", name, remote=remote, project=project, target=target)
