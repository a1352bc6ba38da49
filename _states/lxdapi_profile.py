"""
Profiles of LXD and Incus as declared.

:depends: requests, requests-unixsocket
"""

try:
    from lxdapi.minion import connection as front
    from lxdapi.minion import state_run as runs
    from lxdapi.plan import converge
    from lxdapi.plan import steps as plans
except ImportError as exc:
    front, _MISSING = None, exc

__version__ = "0.1.0"


def __virtual__():
    """Load if the library of lxdapi and what it needs can be imported."""
    if front is None:
        return False, f"lxdapi: {_MISSING}; it needs requests and requests-unixsocket (README, Dependencies)"
    return front.loadable(__version__)


def _api(remote, project):
    return front.connect(__salt__, __context__, remote, project)


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
        A list of keys of ``config`` (``user.db_*``) and of devices (``DEVICE.KEY``) whose values nobody shall
        see: README, Secrets.
    remote, project
        See the README, Remotes.
    """
    wanted = {"description": description, "config": config, "devices": devices}
    return plans.state(
        "profile",
        name,
        runs.of(globals()),
        lambda: converge.present(_api(remote, project), "profile", name, wanted, renamed_from=renamed_from),
        sensitive,
    )


def absent(name, remote=None, project=None):
    """
    Ensure that a profile does not exist; the daemon refuses one that is in use.

    .. code-block:: yaml

        web:
          lxdapi_profile.absent

    name
        Of the profile.
    remote, project
        See the README, Remotes.
    """
    return plans.state(
        "profile",
        name,
        runs.of(globals()),
        lambda: converge.absent(_api(remote, project), "profile", name),
    )
