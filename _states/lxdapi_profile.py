"""
Profiles of LXD and Incus.

:depends: requests, requests-unixsocket
"""

from lxdapi.minion import state

__version__ = "0.1.0"


def present(
    name, description=None, config=None, devices=None, renamed_from=None, sensitive=None, remote=None, project=None
):
    """
    Ensure that a profile exists with the given settings.

    .. code-block:: yaml

        web:
          lxdapi_profile.present:
            - description: web servers
            - config:
                limits.cpu: 2
                limits.memory: 1GiB
                user.old: null
            - devices:
                root:
                  type: disk
                  path: /
                  pool: default

    The daemon saves a profile before it updates the instances that use it. If an instance rejects the change, the state
    fails: ``changes`` contains what the daemon saved, and the comment names the instances, which apply the change at
    their next start. No daemon reports this difference later. If a changed key or device needs a restart of running
    instances, the comment names the first five of them and counts the others, in test mode too.

    name
        Name of the profile.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` removes a key; an empty
        mapping removes all keys. Default: unchanged.
    devices
        Mapping of device names to devices. Devices, and keys of a device, that are not declared stay unchanged;
        ``null`` removes a device or a key; a device with another ``type`` is replaced as a whole. Default: unchanged.
    renamed_from
        Former name: if nothing exists under ``name``, the state renames the resource with the former name. Default: no
        rename.
    sensitive
        Further keys of ``config`` and of devices (``DEVICE.KEY``) to mask in changes, comments and errors: a list of
        names or shell-style patterns (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    declared = {"description": description, "config": config, "devices": devices}
    return state.present(
        globals(),
        "profile",
        name,
        declared,
        renamed_from=renamed_from,
        remote=remote,
        project=project,
        sensitive=sensitive,
    )


def absent(name, remote=None, project=None):
    """
    Ensure that a profile does not exist. The daemon does not delete a profile that is in use.

    .. code-block:: yaml

        web:
          lxdapi_profile.absent

    name
        Name of the profile.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.absent(globals(), "profile", name, remote=remote, project=project)
