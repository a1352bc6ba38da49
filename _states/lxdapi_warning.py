"""
Warnings of LXD and Incus as declared: seen, or gone.

:depends: requests, requests-unixsocket; the API extension warnings (LXD 4.18, every Incus)
"""

from lxdapi.minion import state
from lxdapi.plan import warning


def acknowledged(name, remote=None):
    """
    Ensure that warnings are acknowledged: the daemon lists them as seen.

    .. code-block:: yaml

        Couldn't find the CGroup network priority controller:
          lxdapi_warning.acknowledged

    name
        The UUID of a warning, or its type as the daemon words it, for all of this type. That there is none is
        as good.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    """
    return state.run(globals(), "warning", name, lambda api: warning.plan_acknowledge(api, name), remote=remote)


def absent(name, remote=None):
    """
    Ensure that warnings are not listed; what has not been mended is reported anew by the daemon.

    .. code-block:: yaml

        Couldn't find the CGroup network priority controller:
          lxdapi_warning.absent

    name
        The UUID of a warning, or its type, for all of this type.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    """
    return state.run(globals(), "warning", name, lambda api: warning.plan_absent(api, name), remote=remote)
