"""
Profiles of LXD and Incus as declared.

:depends: requests, requests-unixsocket
"""

from lxdapi.minion import state


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

    The daemon saves a profile before it updates the instances that use it. If one of them refuses the change, the
    state fails, ``changes`` has what was saved and the comment names the instances, which take the change at their next
    start. No daemon shows later that they lack it.

    name
        Of the profile.
    description
        Text; "" clears it.
    config
        A mapping of keys to values. Other keys are left alone; ``null`` removes one; an empty
        mapping removes all.
    devices
        A mapping of names to devices. Other devices, and other keys of a device, are left alone;
        ``null`` removes one; a device of another ``type`` is replaced whole.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    sensitive
        More keys of ``config`` and of devices (``DEVICE.KEY``) to mask in changes, comments and errors, as names
        or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
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
    Ensure that a profile does not exist; the daemon refuses one that is in use.

    .. code-block:: yaml

        web:
          lxdapi_profile.absent

    name
        Of the profile.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.absent(globals(), "profile", name, remote=remote, project=project)
