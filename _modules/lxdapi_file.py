"""
Files and directory trees inside instances of LXD and Incus.

:depends: requests, requests-unixsocket

The files of a container are available whether it is running or not, those of a virtual machine through its agent while
it runs. Files are written completely or not at all. Each ``path`` is an absolute path inside the instance.
"""

from lxdapi import atomic_file
from lxdapi.files import content as sources
from lxdapi.files import plan, plan_tree, queries
from lxdapi.files.spec import FileSpec, TreeSpec
from lxdapi.files.target import Target
from lxdapi.minion import connection
from lxdapi.plan import steps

__version__ = "0.1.0"
__func_alias__ = {"hash_": "hash"}


def _target(instance, path, remote, project):
    return Target.parse(lambda: connection.connect(globals(), remote, project), instance, path)


def stat(instance, path, follow_symlinks=False, remote=None, project=None):
    """
    Return the type, size, uid, gid, user, group, mode and mtime of a path, and the target of a symbolic link. The
    result is empty if the path does not exist.

    instance
        Name of the instance.
    path
        Absolute path inside the instance.
    follow_symlinks
        Whether to return the data of the file that a symbolic link leads to. Default: false, the link itself.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.stat web1 /etc/hosts
    """
    return queries.stat(_target(instance, path, remote, project), follow_symlinks)


def exists(instance, path, remote=None, project=None):
    """
    Return whether a path exists; a broken symbolic link exists too. Raises an error if the instance does not exist.

    See :py:func:`lxdapi_file.stat` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.exists web1 /etc/hosts
    """
    return bool(queries.stat(_target(instance, path, remote, project), follow=False))


def readdir(instance, path, remote=None, project=None):
    """
    Return the sorted names of the entries of a directory.

    See :py:func:`lxdapi_file.stat` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.readdir web1 /etc
    """
    return queries.readdir(_target(instance, path, remote, project))


def readlink(instance, path, remote=None, project=None):
    """
    Return the target of a symbolic link.

    See :py:func:`lxdapi_file.stat` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.readlink web1 /bin/sh
    """
    return queries.readlink(_target(instance, path, remote, project))


def read(instance, path, remote=None, project=None):
    """
    Return the text of a file. Raises an error for more than 1 MiB, or if it is not UTF-8: see
    :py:func:`lxdapi_file.pull`.

    See :py:func:`lxdapi_file.stat` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.read web1 /etc/hosts
    """
    return queries.read(_target(instance, path, remote, project))


def hash_(instance, path, algorithm="sha256", remote=None, project=None):
    """
    Return the hash of a file. The file is read in blocks.

    algorithm
        ``sha256``, ``sha512``, ``md5`` or another algorithm of Python's hashlib. Default: ``sha256``.

    See :py:func:`lxdapi_file.stat` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.hash web1 /etc/hosts
    """
    return queries.digest(_target(instance, path, remote, project), algorithm)


def write(
    instance, path, contents, user=None, group=None, mode=None, makedirs=False, newline=True, remote=None, project=None
):
    """
    Write text to a file. Returns the changes.

    contents
        Text, or a list of lines.
    user, group
        User name (must exist in the instance) or UID, and group name or GID. Default: unchanged; ``root`` for a new
        file.
    mode
        Permissions as octal digits: ``0640``. Default: unchanged; 0644 for a new file.
    makedirs
        Whether to create missing parent directories. Default: false.
    newline
        Whether the file ends with a newline. Default: true.

    The file is written under a temporary name in the same directory and renamed once it is complete.

    See :py:func:`lxdapi_file.stat` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.write web1 /etc/motd 'Hello.' mode=0644
    """
    spec, content = FileSpec.parse(user, group, mode, makedirs, show=False), sources.from_text(contents, newline)
    return steps.apply(plan.plan_file(_target(instance, path, remote, project), content, spec))


def push(
    instance,
    source,
    path,
    user=None,
    group=None,
    mode=None,
    makedirs=False,
    source_hash=None,
    saltenv="base",
    remote=None,
    project=None,
):
    """
    Copy a file from the minion, Salt's file server or a web server to the instance. Returns the changes, which are
    empty if content, owner and mode are already the same.

    source
        A path on the minion, ``salt://`` or ``http(s)://``.
    source_hash
        Expected hash of a file from a web server: ``sha256=...``, or the URL of a list of hashes. Default: none.
    saltenv
        Salt environment of ``salt://`` sources. Default: ``base``.

    See :py:func:`lxdapi_file.write` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.push web1 /srv/files/site.conf /etc/site.conf mode=0640 makedirs=True
    """
    spec = FileSpec.parse(user, group, mode, makedirs, show=False)
    target = _target(instance, path, remote, project)
    content = sources.from_source(__salt__, path, source, saltenv, checked=sources.ExpectedHash(source_hash))
    return steps.apply(plan.plan_file(target, content, spec))


def pull(instance, path, target, remote=None, project=None):
    """
    Copy a file from the instance to the minion, completely or not at all, with mode 0600. Returns its path, size and
    sha256.

    target
        Absolute path on the minion; an existing file is replaced.

    See :py:func:`lxdapi_file.stat` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.pull web1 /etc/hosts /srv/files/hosts.web1
    """
    remote_file = _target(instance, path, remote, project)
    with atomic_file.replace(target) as file:
        facts = queries.fetch(remote_file, file)
    return {"path": target, **facts}


def delete(instance, path, recursive=False, remote=None, project=None):
    """
    Delete a file, an empty directory or a symbolic link (not its target). Returns the changes, which are empty if the
    path does not exist.

    recursive
        Whether to delete a directory with its content. Default: false.

    See :py:func:`lxdapi_file.stat` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.delete web1 /etc/old.conf
    """
    return steps.apply(plan.plan_absent(_target(instance, path, remote, project), recursive))


def mkdir(instance, path, user=None, group=None, mode=None, makedirs=False, remote=None, project=None):
    """
    Create a directory with the given owner and mode. Returns the changes.

    See :py:func:`lxdapi_file.write` for the parameters; a new directory has mode 0755.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.mkdir web1 /srv/www makedirs=True
    """
    spec = FileSpec.parse(user, group, mode, makedirs)
    return steps.apply(plan.plan_directory(_target(instance, path, remote, project), spec))


def symlink(instance, path, target, force=False, remote=None, project=None):
    """
    Create a symbolic link; a link with another target is replaced. Returns the changes.

    target
        Target of the link, absolute or relative to the directory of the link.
    force
        Whether to replace an existing file or directory. Default: false.

    See :py:func:`lxdapi_file.stat` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.symlink web1 /etc/localtime /usr/share/zoneinfo/UTC
    """
    spec = FileSpec.parse(force=force)
    return steps.apply(plan.plan_symlink(_target(instance, path, remote, project), target, spec))


def chown(instance, path, user=None, group=None, remote=None, project=None):
    """
    Change the owner and the group of a file or a directory. Returns the changes.

    See :py:func:`lxdapi_file.write` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.chown web1 /etc/hosts nobody nogroup
    """
    spec = FileSpec.parse(user, group)
    return steps.apply(queries.plan_ownership(_target(instance, path, remote, project), spec))


def set_mode(instance, path, mode, remote=None, project=None):
    """
    Set the mode of a file or a directory. Returns the changes.

    See :py:func:`lxdapi_file.write` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.set_mode web1 /etc/hosts 0600
    """
    spec = FileSpec.parse(mode=mode)
    return steps.apply(queries.plan_ownership(_target(instance, path, remote, project), spec))


def push_tree(
    instance,
    source,
    path,
    user=None,
    group=None,
    dir_mode=None,
    file_mode=None,
    clean=False,
    keep_symlinks=True,
    force=False,
    saltenv="base",
    remote=None,
    project=None,
):
    """
    Copy a directory from the minion or Salt's file server to the instance. Returns the changes.

    source
        Source directory: a path on the minion, or ``salt://``.
    dir_mode, file_mode
        Permissions of the directories and files as octal digits. ``file_mode=keep`` copies the modes of the files on
        the minion. Default: unchanged; 0755 for new directories and 0644 for new files.
    clean
        Whether to remove what the source does not contain. Default: false.
    keep_symlinks
        Whether to create symbolic links as links. False copies the files that they lead to. Default: true.
    force
        Whether to replace an existing path of a different type. Default: false.
    saltenv
        Salt environment of ``salt://`` sources. Default: ``base``.

    Only the differences are sent, many files at a time. See :py:func:`lxdapi_file.write` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.push_tree web1 /srv/files/www /srv/www user=root
    """
    directory = FileSpec.parse(user, group, dir_mode, makedirs=True, force=force)
    spec = TreeSpec.parse(directory, file_mode, clean)
    target = _target(instance, path, remote, project)
    local = sources.read_tree(__salt__, source, saltenv, keep_symlinks)
    return steps.apply(plan_tree.plan_recurse(target, local, spec))


def pull_tree(instance, path, target, force=False, remote=None, project=None):
    """
    Copy a directory from the instance to a new directory on the minion. Returns its path and a list of what was
    omitted.

    target
        Absolute path on the minion. It appears once the copy is complete.
    force
        Whether to replace an existing directory, which deletes everything else in it. Otherwise an existing directory
        is an error. Default: false.

    The function never writes outside of ``target``, whatever names the instance gives to its files. It omits links that
    lead out of the directory, devices, pipes and sockets. Only root may read the files; executable files stay
    executable.

    See :py:func:`lxdapi_file.stat` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.pull_tree web1 /etc /srv/files/etc.web1
    """
    left_out = queries.fetch_tree(_target(instance, path, remote, project), target, force)
    return {"path": target, "left_out": left_out}
