"""
Backups of instances and custom storage volumes: export to files on the minion, and import.

:depends: requests, requests-unixsocket; tqdm for a progress line on a terminal
"""

from lxdapi.instances import backups
from lxdapi.minion import connection

__version__ = "0.1.0"
__func_alias__ = {"import_": "import"}


def export(
    name,
    path,
    optimized=False,
    snapshots=True,
    compression=None,
    timeout=None,
    remote=None,
    project=None,
    target=None,
):
    """
    Export an instance or a custom volume to a file on the minion with mode 0600, and write its SHA-256 to
    ``<path>.sha256``. Returns the path, the size and the sha256.

    name
        Name of an instance, or ``POOL/VOLUME`` for a custom volume.
    path
        Absolute path of the file. Its directory must exist. An existing file is replaced once the new one is complete.
    optimized
        Whether to use the format of the storage driver. It is faster, but only a pool with the same driver can import
        it. Default: false.
    snapshots
        Whether to include the snapshots. Default: true.
    compression
        Compression of the backup: ``none``, ``gzip``, ``zstd`` or another algorithm that the daemon supports. Default:
        the server setting ``backups.compression_algorithm``.
    timeout
        Seconds for the daemon to create the backup. The download afterwards has no time limit while data arrives.
        Default: 3600.
    target
        Name of the cluster member that the volume is on. Default: found by the daemon, unless several members have a
        volume with this name.

    The daemon needs disk space for the backup until lxdapi has read it, and deletes it then.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_backup.export web1 /srv/backups/web1.tar.gz snapshots=False
        salt-call lxdapi_backup.export default/data /srv/backups/data.tar.gz
    """
    kind_name = backups.kind_name_of(name)
    options = backups.export_options(kind_name, optimized, not snapshots, compression)
    return backups.export(
        connection.connect(globals(), remote, project, target), kind_name, name, path, options, timeout
    )


def import_(name, path, pool=None, timeout=None, remote=None, project=None, target=None):
    """
    Create an instance or a custom volume from a backup file, with its snapshots. Returns the changes.

    name
        Name of a new instance, or ``POOL/VOLUME`` of a new custom volume. It can differ from the name in the backup.
    path
        Path of the file on the minion. If ``<path>.sha256`` exists and does not match, nothing is sent.
    pool
        Storage pool for an instance. Default: the pool in the backup.
    timeout
        Seconds for the daemon to unpack the backup. The upload before that has no time limit. Default: 3600.
    target
        Name of the cluster member to create it on. Default: chosen by the daemon.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_backup.import web2 /srv/backups/web1.tar.gz
        salt-call lxdapi_backup.import default/data2 /srv/backups/data.tar.gz
    """
    backups.import_file(
        connection.connect(globals(), remote, project), backups.kind_name_of(name), name, path, pool, target, timeout
    )
    return {"created": name}
