"""
Projects of LXD and Incus.

:depends: requests, requests-unixsocket
"""

from lxdapi.minion import state

__version__ = "0.1.0"


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
        Name of the project.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values, such as ``features.*``, ``limits.*`` and ``restricted.*``. Keys that are not
        declared stay unchanged; ``null`` removes a key; an empty mapping removes all keys except ``features.*``, which
        the daemon sets in a new project. The daemon does not change features of a project that is not empty. Default:
        unchanged.
    renamed_from
        Former name: if nothing exists under ``name``, the state renames the resource with the former name. Default: no
        rename.
    sensitive
        Further keys of ``config`` to mask in changes, comments and errors: a list of names or shell-style patterns
        (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    declared = {"description": description, "config": config}
    return state.present(
        globals(), "project", name, declared, renamed_from=renamed_from, remote=remote, sensitive=sensitive
    )


def absent(name, force=False, remote=None):
    """
    Ensure that a project does not exist. The daemon does not delete a project that is not empty.

    .. code-block:: yaml

        shop:
          lxdapi_project.absent

    name
        Name of the project.
    force
        Whether to delete everything in the project too. Requires the API extension projects_force_delete (LXD 5.21.5
        or 6.6 or newer, every Incus). Default: false.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    return state.absent(globals(), "project", name, force=force, remote=remote)
