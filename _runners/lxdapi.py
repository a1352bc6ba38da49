"""
Instances of LXD and Incus as minions of a master.

:depends: requests, requests-unixsocket, websocket-client
"""

if __name__ == "lxdapi":  # imported instead of the library, which is not on the path
    raise ModuleNotFoundError(
        "No module named 'lxdapi' (the library, _utils/lxdapi): run salt-run saltutil.sync_all", name=__name__
    )

from lxdapi.minion import minion_runner

__version__ = "0.1.0"


def bootstrap(
    name,
    minion_id=None,
    minion_config=None,
    package="salt-minion",
    timeout=600,
    force=False,
    test=False,
    remote=None,
    project=None,
):
    """
    Make a running instance a minion of this master, and wait until it answers. Returns ``result``, ``comment`` and
    ``changes``.

    name
        Name of the instance.
    minion_id
        Id of the minion. Default: the name of the instance.
    minion_config
        Mapping of settings for ``/etc/salt/minion.d/lxdapi.conf`` in the instance, such as ``master``. The changes do
        not show the settings. Default: only the id.
    package
        The package to install if the instance has no ``salt-minion``: its name in the repositories that the instance
        knows, or the path of a file on this master, such as ``/srv/salt-minion.deb``. Default: ``salt-minion``.
    timeout
        Seconds for the installation, and as many for the first answer of the minion. Default: 600.
    force
        Whether to replace the key of another minion of this id on the master, or another key in the instance.
        Default: false.
    test
        Whether to return the changes without making them. Default: false.
    remote
        Name of a remote under ``lxdapi:remotes`` in the configuration of the master. Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.

    The master creates the key pair and accepts it before the minion starts, and the instance gets it through the daemon
    together with the key of the master. Neither the master nor the minion has to trust an unknown key, and no other
    machine keeps the private key.

    CLI Example:

    .. code-block:: bash

        salt-run lxdapi.bootstrap web1 minion_config='{"master": "192.0.2.1"}' test=True
        salt-run lxdapi.bootstrap web1 minion_config='{"master": "192.0.2.1"}'
        salt-run lxdapi.bootstrap web1 package=/srv/salt-minion.deb
    """
    arguments = {
        "minion_id": minion_id,
        "minion_config": minion_config,
        "package": package,
        "timeout": timeout,
        "force": force,
    }
    return minion_runner.bootstrap_instance(globals(), name, arguments, test, remote, project)


def accept_key(name, minion_id=None, test=False, remote=None, project=None):
    """
    Accept the pending key of a minion that runs in an instance, if the key in that instance is the same: lxdapi reads
    it through the daemon. Returns ``result``, ``comment`` and ``changes``.

    See :py:func:`lxdapi.bootstrap` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-run lxdapi.accept_key web1
        salt-run lxdapi.accept_key web1 minion_id=web1.example.com
    """
    return minion_runner.accept_key(globals(), name, minion_id, test, remote, project)
