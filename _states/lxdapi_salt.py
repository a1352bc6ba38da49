"""
Instances of LXD and Incus under the control of Salt: as minions, or without Salt, Python and a network in them, with
states that Salt applies inside.

:depends: requests, requests-unixsocket, websocket-client
"""

from lxdapi.minion import salt_minions, salt_states

__version__ = "0.1.0"


def applied(
    name, mods=None, pillar=None, saltenv=None, exclude=None, python="auto", sealed=None, remote=None, project=None
):
    """
    Ensure that the inside of an instance is as SLS files describe it: Salt applies them there.

    .. code-block:: yaml

        web1:
          lxdapi_salt.applied:
            - mods: web

    name
        Name of the instance. It must be running.
    mods
        SLS names: a list, or text with commas. Default: the top file decides, as in
        :py:func:`highstate <lxdapi_salt.highstate>`.
    pillar
        Mapping of pillar values that override those of the instance. Default: none.
    saltenv
        Salt environment. Default: the option ``saltenv`` of this minion, otherwise ``base``.
    exclude
        SLS names or state ids to leave out: a list, or text with commas. Default: none.
    python
        The Python that runs Salt. ``inside``: that of the instance. ``carried``: that of this minion; a container on
        this machine gets it as a read-only disk device while Salt runs, any other instance as a copy. ``auto``: that of
        the instance if it can run Salt, otherwise a carried one. Default: ``auto``.
    sealed
        Whether the instance gets only those files of the file server that the SLS files name. This requires ``mods``.
        Default: the setting ``lxdapi:sealed``.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.

    ``changes`` has the changes of each state inside by its id; a failure names the states that failed. Consecutive
    states for different instances run at the same time, and all states of a run for one instance use the same Salt.

    Test mode runs Salt inside with ``test=True``. The instance must be running, and gets the device or the copies that
    ``python`` requires. Nothing else changes.
    """
    return salt_states.apply(globals(), name, mods, pillar, saltenv, exclude, python, sealed, remote, project)


def highstate(name, pillar=None, saltenv=None, exclude=None, python="auto", remote=None, project=None):
    """
    Ensure that the inside of an instance is as the top file describes it, which matches the name and the grains of the
    instance.

    .. code-block:: yaml

        web1:
          lxdapi_salt.highstate:
            - pillar:
                role: web

    See :py:func:`lxdapi_salt.applied` for the parameters.
    """
    return salt_states.apply(globals(), name, None, pillar, saltenv, exclude, python, None, remote, project)


def minion(
    name,
    minion_id=None,
    minion_config=None,
    package="salt-minion",
    timeout=600,
    force=False,
    remote=None,
    project=None,
):
    """
    Ensure that a running instance is a minion of the master, and answers. The state works on the machine of the master:
    on a minion there, or in an orchestration.

    .. code-block:: yaml

        web1:
          lxdapi_salt.minion:
            - minion_config:
                master: 192.0.2.1

    See :py:func:`lxdapi.bootstrap` for the parameters. This runner does the work, with the remotes in the configuration
    of the master.
    """
    arguments = {
        "minion_id": minion_id,
        "minion_config": minion_config,
        "package": package,
        "timeout": timeout,
        "force": force,
    }
    return salt_minions.bootstrap_by_runner(globals(), name, arguments, remote, project)
