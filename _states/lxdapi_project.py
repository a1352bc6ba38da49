"""
Projects of LXD and Incus as declared.

:depends: requests, requests-unixsocket
"""

from lxdapi.minion import state


def present(name, description=None, config=None, renamed_from=None, sensitive=None, remote=None):
    """
    Ensure that a project exists with the given settings.

    .. code-block:: yaml

        shop:
          lxdapi_project.present:
            - description: the web shop
            - config:
                features.profiles: true
                limits.instances: 20
                restricted: true

    name
        Of the project.
    description
        Text; "" clears it.
    config
        A mapping of keys to values, among them ``features.*``, ``limits.*`` and ``restricted.*``. Other keys are
        left alone; ``null`` removes one; an empty mapping removes all but ``features.*``, which the daemon sets
        in a new project. The daemon refuses to change features of a project that is not empty.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    sensitive
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    """
    declared = {"description": description, "config": config}
    return state.present(
        globals(), "project", name, declared, renamed_from=renamed_from, remote=remote, sensitive=sensitive
    )


def absent(name, force=False, remote=None):
    """
    Ensure that a project does not exist; the daemon refuses one that is not empty.

    .. code-block:: yaml

        shop:
          lxdapi_project.absent

    name
        Of the project.
    force
        True: with everything in it (API extension projects_force_delete: Incus 6.0.4, LXD 5.21 or newer).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    """
    return state.absent(globals(), "project", name, force=force, remote=remote)
