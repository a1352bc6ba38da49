"""
Backups of instances and custom storage volumes as files on the minion, and back.

:depends: requests, requests-unixsocket; tqdm for a progress line on a terminal
"""

from lxdapi.instances import backups
from lxdapi.minion import connection

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
    Write an instance or a custom volume into a file on this machine, mode 0600, and its sha256 into ``<path>.sha256``
    beside it. Returns path, size and sha256.

    name
        An instance, or ``POOL/VOLUME`` of a custom volume.
    path
        Absolute; its folder has to be there. A file that is there is replaced when the new one is whole.
    optimized
        True: in the format of the storage driver, which is faster, and can only be imported to such a pool.
    snapshots
        False: without them.
    compression
        ``none``, ``gzip``, ``zstd`` or what else the daemon has. None: what its ``backups.compression_algorithm`` says.
    timeout
        Seconds for the daemon to make the backup; 3600. Then it may take any time to read it, as long as it comes.
    target
        The member of the cluster that a volume is on, where more than one has one of that name.

    The daemon needs room for the backup as well, until it was read; then it is deleted there.

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
    Make an instance or a custom volume from the file of a backup, with its snapshots. Returns what changed.

    name
        An instance, or ``POOL/VOLUME`` of a custom volume, that does not exist yet. It need not be called as what the
        backup is of.
    path
        The file on this machine. If there is ``<path>.sha256`` and it says something else, nothing is sent.
    pool
        The storage pool for an instance. None: the one that it was on.
    timeout
        Seconds for the daemon to unpack it; 3600. To send it may take any time.
    target
        The member of the cluster for it. None: the daemon's choice.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_backup.import web2 /srv/backups/web1.tar.gz
        salt-call lxdapi_backup.import default/data2 /srv/backups/data.tar.gz
    """
    backups.import_file(
        connection.connect(globals(), remote, project), backups.kind_name_of(name), name, path, pool, target, timeout
    )
    return {"created": name}
