"""
Warnings of LXD and Incus: acknowledged or deleted.

:depends: requests, requests-unixsocket; the API extension warnings (LXD 4.18, every Incus)
"""

from lxdapi.minion import state
from lxdapi.plan import warning

__version__ = "0.1.0"


def acknowledged(name, remote=None):
    """
    Ensure that warnings are acknowledged.

    .. code-block:: yaml

        Couldn't find the CGroup network priority controller:
          lxdapi_warning.acknowledged

    name
        UUID of a warning, or its type in the daemon's words, which means all warnings of this type. The state succeeds
        if no such warning exists.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    return state.run(globals(), "warning", name, lambda api: warning.plan_acknowledge(api, name), remote=remote)


def absent(name, remote=None):
    """
    Ensure that warnings do not exist. The daemon reports a problem again while it persists.

    .. code-block:: yaml

        Couldn't find the CGroup network priority controller:
          lxdapi_warning.absent

    name
        UUID of a warning, or its type in the daemon's words, which means all warnings of this type.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """
    return state.run(globals(), "warning", name, lambda api: warning.plan_absent(api, name), remote=remote)
