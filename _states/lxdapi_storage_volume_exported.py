"""
Backups of custom storage volumes of LXD and Incus as files.

:depends: requests, requests-unixsocket; tqdm for a progress line on a terminal
"""

from lxdapi import hashing
from lxdapi.instances import backups
from lxdapi.minion import connection, state

__virtualname__ = "lxdapi_storage_volume"


def __virtual__():
    """Add these functions to those of ``lxdapi_storage_volume``."""
    return __virtualname__


def exported(
    name,
    path,
    max_age=None,
    optimized=False,
    volume_only=False,
    compression=None,
    timeout=None,
    remote=None,
    project=None,
    target=None,
):
    """
    Ensure that there is a file with a backup of a custom storage volume, and its sha256 in ``<path>.sha256`` beside it.

    .. code-block:: yaml

        default/data:
          lxdapi_storage_volume.exported:
            - path: /srv/backups/data.tar.gz
            - max_age: 7d

    A file that is there is left alone while it is what the checksum beside it says and, with max_age, young enough;
    else a new one, mode 0600, takes its place when it is whole. The daemon needs room for the backup as well,
    until it was read; then it is deleted there.

    name
        ``POOL/VOLUME``.
    path
        Of the file on the minion, absolute; its folder has to be there.
    max_age
        Seconds, or a time such as ``12h``, ``7d`` or ``2w``. None: a file of any age will do.
    optimized
        True: in the format of the storage driver, which is faster, and can only be imported to such a pool.
    volume_only
        True: without its snapshots.
    compression
        ``none``, ``gzip``, ``zstd`` or what else the daemon has. None: what its ``backups.compression_algorithm`` says.
    timeout
        Seconds for the daemon to make the backup; 3600. Then it may take any time to read it, as long as it comes.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    target
        The member of the cluster that it is on, where more than one has one of that name.
    """

    def plan():
        options = backups.export_options("storage_volume", optimized, volume_only, compression)
        memory = hashing.memory_file(__opts__["cachedir"])
        api = connection.connect(globals(), remote, project, target)
        return backups.plan_export(api, "storage_volume", name, path, options, max_age, timeout, memory)

    return state.run_plan(globals(), "storage_volume", name, plan)
