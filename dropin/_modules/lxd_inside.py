"""
Files and commands in containers, and their snapshots, under the names of the functions that Salt 3008 removed.

:depends: lxdapi

``remote_addr``, ``cert``, ``key`` and ``verify_cert`` are those of the execution module ``lxd``.
"""

from lxdapi.dropin import files, inside
from lxdapi.minion import connection

__version__ = "0.1.0"
__virtualname__ = "lxd"


def __virtual__():
    """Add these functions to those of ``lxd``."""
    return __virtualname__


def container_file_put(
    name,
    src,
    dst,
    recursive=False,
    overwrite=False,
    mode=None,
    uid=None,
    gid=None,
    saltenv="base",
    remote_addr=None,
    cert=None,
    key=None,
    verify_cert=True,
):
    """
    Copy a file or a directory into a container. Returns true.

    name
        Name of the container.
    src
        A path on the minion, or ``salt://``.
    dst
        Absolute path in the container. If it ends with ``/``, or is a directory and ``src`` is a file, the source keeps
        its name in it.
    recursive
        Whether to copy a directory. Default: false.
    overwrite
        Whether to replace a file with another content, and to add to an existing directory. Otherwise that is an error.
        Default: false.
    mode
        Permissions of the files as octal digits. Default: those on the minion.
    uid, gid
        Numbers or names of the user and group. Default: those of the file on the minion; root for a directory.
    saltenv
        Salt environment of ``salt://`` sources. Default: ``base``.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_file_put web1 /var/tmp/foo /var/tmp/
    """
    api, owner = connection.connect_to(globals(), remote_addr, cert, key, verify_cert), files.Owner(mode, uid, gid)
    return files.put(api, __salt__, name, src, dst, recursive, overwrite, owner, saltenv)


def container_file_get(
    name,
    src,
    dst,
    overwrite=False,
    mode=None,
    uid=None,
    gid=None,
    remote_addr=None,
    cert=None,
    key=None,
    verify_cert=True,
):
    """
    Copy a file of a container to the minion. Returns true.

    name
        Name of the container.
    src
        Absolute path in the container.
    dst
        Absolute path on the minion; in a directory the file keeps its name.
    overwrite
        Whether to replace an existing file. Otherwise it is an error. Default: false.
    mode
        Permissions as octal digits. Default: those of the replaced file; 0644 for a new one.
    uid, gid
        Numbers of the user and group on the minion. Default: those of the minion's process.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_file_get web1 /var/tmp/foo /var/tmp/
    """
    api, owner = connection.connect_to(globals(), remote_addr, cert, key, verify_cert), files.Owner(mode, uid, gid)
    return files.get(api, name, src, dst, overwrite, owner)


def container_execute(name, cmd, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Run a command in a running container. Returns its ``exit_code``, ``stdout`` and ``stderr``, and whether it succeeded
    as ``result``.

    name
        Name of the container.
    cmd
        Command: a list is executed directly, text is passed to ``/bin/sh -c``.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_execute web1 '["ls", "-l"]'
    """
    return inside.execute(connection.connect_to(globals(), remote_addr, cert, key, verify_cert), name, cmd)


def snapshots_all(container, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Return a mapping of the name of a container to a list of its snapshots, each a mapping with its ``name``.

    container
        Name of the container; ``null`` for all containers.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.snapshots_all web1
    """
    return inside.list_snapshots(connection.connect_to(globals(), remote_addr, cert, key, verify_cert), container)


def snapshots_create(container, name=None, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Create a snapshot of a container. Returns its ``name``. Raises an error if the name exists.

    container
        Name of the container.
    name
        Name of the snapshot. Default: the current time, such as 20300131235959.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.snapshots_create web1 before
    """
    return inside.create_snapshot(
        connection.connect_to(globals(), remote_addr, cert, key, verify_cert), container, name
    )


def snapshots_delete(container, name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Delete a snapshot of a container. Returns whether it existed.

    container
        Name of the container.
    name
        Name of the snapshot.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.snapshots_delete web1 before
    """
    return inside.delete_snapshot(
        connection.connect_to(globals(), remote_addr, cert, key, verify_cert), container, str(name)
    )


def snapshots_get(container, name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Return a snapshot of a container. Raises an error if it does not exist.

    container
        Name of the container.
    name
        Name of the snapshot.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.snapshots_get web1 before
    """
    return inside.get_snapshot(
        connection.connect_to(globals(), remote_addr, cert, key, verify_cert), container, str(name)
    )
