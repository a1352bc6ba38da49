"""
Backups of instances of LXD and Incus as files.

:depends: requests, requests-unixsocket; tqdm for a progress line on a terminal
"""

from lxdapi import hashing
from lxdapi.instances import backups
from lxdapi.minion import connection, state

__version__ = "0.1.0"
__virtualname__ = "lxdapi_instance"


def __virtual__():
    """Add these functions to those of ``lxdapi_instance``."""
    return __virtualname__


def exported(
    name,
    path,
    max_age=None,
    optimized=False,
    instance_only=False,
    compression=None,
    timeout=None,
    remote=None,
    project=None,
):
    """
    Ensure that a backup file of an instance exists, with its SHA-256 in ``<path>.sha256``.

    .. code-block:: yaml

        web1:
          lxdapi_instance.exported:
            - path: /srv/backups/web1.tar.gz
            - max_age: 7d

    An existing file stays unchanged while it matches its checksum file and, with ``max_age``, is recent enough.
    Otherwise a new file, with mode 0600, replaces it once it is complete. The instance may be running. The daemon needs
    disk space for the backup until lxdapi has read it, and deletes it then.

    name
        Name of the instance.
    path
        Absolute path of the file on the minion. Its directory must exist.
    max_age
        Maximum age of the file: seconds, or a duration such as ``12h``, ``7d`` or ``2w``. Default: no limit.
    optimized
        Whether to use the format of the storage driver. It is faster, but only a pool with the same driver can import
        it. Default: false.
    instance_only
        Whether to exclude the snapshots. Default: false.
    compression
        Compression of the backup: ``none``, ``gzip``, ``zstd`` or another algorithm that the daemon supports. Default:
        the server setting ``backups.compression_algorithm``.
    timeout
        Seconds for the daemon to create the backup. The download afterwards has no time limit while data arrives.
        Default: 3600.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """

    def plan():
        options = backups.export_options("instance", optimized, instance_only, compression)
        memory = hashing.memory_file(__opts__["cachedir"])
        api = connection.connect(globals(), remote, project)
        return backups.plan_export(api, "instance", name, path, options, max_age, timeout, memory)

    return state.run_plan(globals(), "instance", name, plan)
