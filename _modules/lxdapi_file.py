"""
Files and trees of files inside instances of LXD and Incus: read, written whole or not at all, owned.

:depends: requests, requests-unixsocket

A container's files are reached whether it runs or not; those of a virtual machine through its agent, while it runs.
Each ``path`` is an absolute one inside the instance.
"""

from lxdapi import atomic_file
from lxdapi.files import content as sources
from lxdapi.files import plan, plan_tree, queries
from lxdapi.files.spec import FileSpec, TreeSpec
from lxdapi.files.target import Target
from lxdapi.minion import connection
from lxdapi.plan import steps

__func_alias__ = {"hash_": "hash"}


def _target(instance, path, remote, project):
    return Target.parse(lambda: connection.connect(globals(), remote, project), instance, path)


def stat(instance, path, follow_symlinks=False, remote=None, project=None):
    """
    Return what there is: type, size, uid, gid, user, group, mode and mtime; of a link also its target. {} for nothing.

    instance
        The name of the instance.
    path
        The absolute path inside the instance.
    follow_symlinks
        True: what a symbolic link leads to, not the link.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.stat web1 /etc/hosts
    """
    return queries.stat(_target(instance, path, remote, project), follow_symlinks)


def exists(instance, path, remote=None, project=None):
    """
    Return True if there is something of that path, a symbolic link that leads nowhere too. An instance that does not
    exist is an error.

    See :py:func:`lxdapi_file.stat` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.exists web1 /etc/hosts
    """
    return bool(queries.stat(_target(instance, path, remote, project), follow=False))


def readdir(instance, path, remote=None, project=None):
    """
    Return the sorted names of what is in a directory.

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
    Return the text of a file of 1 MiB at most. What is longer, or no UTF-8, is refused: see
    :py:func:`lxdapi_file.pull`.

    See :py:func:`lxdapi_file.stat` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.read web1 /etc/hosts
    """
    return queries.read(_target(instance, path, remote, project))


def hash_(instance, path, algorithm="sha256", remote=None, project=None):
    """
    Return the hash of a file, which is read for it but never as a whole in memory.

    algorithm
        ``sha256``, ``sha512``, ``md5`` or another of Python's hashlib.

    See :py:func:`lxdapi_file.stat` for the others.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.hash web1 /etc/hosts
    """
    return queries.digest(_target(instance, path, remote, project), algorithm)


def write(
    instance, path, contents, user=None, group=None, mode=None, makedirs=False, newline=True, remote=None, project=None
):
    """
    Make a text the content of a file. Returns what changed.

    contents
        Text, or a list of lines.
    user, group
        A name, which the instance has to know, or a number. None: left alone, of a new file root.
    mode
        Octal digits: ``0640``. None: left alone, of a new file 0644.
    makedirs
        True: directories that are missing above it are made.
    newline
        True: it ends with one.

    It is written under a temporary name in the same directory and renamed when it is whole.

    See :py:func:`lxdapi_file.stat` for the others.

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
    Make a file of this machine, of the fileserver or of a web server one of the instance. Returns what changed; nothing
    where content, owner and mode are so already.

    source
        A path, ``salt://`` or ``http(s)://``.
    source_hash
        What the file of a web server has to be: ``sha256=...``, or the URL of a list of hashes.
    saltenv
        Of ``salt://``; ``base``.

    See :py:func:`lxdapi_file.write` for the others.

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
    Make a file of the instance one of this machine, mode 0600, whole or not at all. Returns its path, size and sha256.

    target
        The absolute path on this machine; a file that is there is replaced.

    See :py:func:`lxdapi_file.stat` for the others.

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
    Remove a file, a symbolic link and not its target, or an empty directory. Returns what changed; nothing if there is
    nothing of that path.

    recursive
        True: a directory with all that is in it.

    See :py:func:`lxdapi_file.stat` for the others.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.delete web1 /etc/old.conf
    """
    return steps.apply(plan.plan_absent(_target(instance, path, remote, project), recursive))


def mkdir(instance, path, user=None, group=None, mode=None, makedirs=False, remote=None, project=None):
    """
    Make a directory, with this owner and mode. Returns what changed.

    See :py:func:`lxdapi_file.write` for the parameters; a new one has mode 0755.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.mkdir web1 /srv/www makedirs=True
    """
    spec = FileSpec.parse(user, group, mode, makedirs)
    return steps.apply(plan.plan_directory(_target(instance, path, remote, project), spec))


def symlink(instance, path, target, force=False, remote=None, project=None):
    """
    Make a symbolic link; one that leads elsewhere is replaced. Returns what changed.

    target
        What it leads to, relative to its directory or absolute.
    force
        True: a file or a directory that is there goes.

    See :py:func:`lxdapi_file.stat` for the others.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.symlink web1 /etc/localtime /usr/share/zoneinfo/UTC
    """
    spec = FileSpec.parse(force=force)
    return steps.apply(plan.plan_symlink(_target(instance, path, remote, project), target, spec))


def chown(instance, path, user=None, group=None, remote=None, project=None):
    """
    Give a file or a directory to a user and a group. Returns what changed.

    See :py:func:`lxdapi_file.write` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.chown web1 /etc/hosts nobody nogroup
    """
    spec = FileSpec.parse(user, group)
    return steps.apply(queries.plan_ownership(_target(instance, path, remote, project), spec))


def set_mode(instance, path, mode, remote=None, project=None):
    """
    Set the mode of a file or a directory. Returns what changed.

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
    Make a directory of the instance hold what one of this machine or of the fileserver does. Returns what changed.

    source
        A directory's path or ``salt://``.
    dir_mode, file_mode
        Of the directories and files; None: left alone, 0755 and 0644 of new ones. ``file_mode=keep``: those of the
        files of this machine.
    clean
        True: what the source does not have is removed.
    keep_symlinks
        True: links are links; False: they are what they lead to.
    force
        True: what is of another type goes.
    saltenv
        Of ``salt://``; ``base``.

    Only what differs is sent, many files at a time. See :py:func:`lxdapi_file.write` for the others.

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
    Make a new directory of this machine a copy of one of the instance. Returns its path and what was left out.

    target
        The absolute path on this machine. It is there when all of it is.
    force
        True: a directory that is there is replaced; what only it has is gone then. False: it is refused.

    Nothing is ever written outside of it, whatever the instance calls its files: left out are links that lead out of
    the directory, devices, pipes and sockets. Only root may read the files; those that can be executed still can.

    See :py:func:`lxdapi_file.stat` for the others.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_file.pull_tree web1 /etc /srv/files/etc.web1
    """
    left_out = queries.fetch_tree(_target(instance, path, remote, project), target, force)
    return {"path": target, "left_out": left_out}
