"""
Whole trees of files, to and from instances of LXD and Incus.

:depends: requests, requests-unixsocket
"""

from lxdapi.files import content as sources
from lxdapi.files import plan as fileplan
from lxdapi.files import plan_tree as recursion
from lxdapi.files import queries as facts
from lxdapi.minion import connection
from lxdapi.plan import steps as plans

__virtualname__ = "lxdapi_file"


def __virtual__():
    """Add these functions to those of ``lxdapi_file``."""
    return __virtualname__


def _there(instance, path, remote, project):
    """Return what the path is in the instance; a path or a name that can be none is refused before any request."""
    fileplan.target(None, instance, path)
    return fileplan.target(connection.connect(globals(), remote, project), instance, path)


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
    there = _there(instance, path, remote, project)
    owner = fileplan.Wanted(user, group, dir_mode, makedirs=True, force=force)
    local = sources.tree(__salt__, source, saltenv, keep_symlinks)
    return plans.apply(recursion.recurse(there, local, recursion.Rules(owner, file_mode, clean)))


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
    left = facts.fetch_tree(_there(instance, path, remote, project), target, force)
    return {"path": target, "left_out": left}
