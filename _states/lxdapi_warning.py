"""
Warnings of LXD and Incus as declared: seen, or gone.

:depends: requests, requests-unixsocket; the API extension warnings (LXD 4.18, every Incus)
"""

try:
    from lxdapi.minion import connection as front
    from lxdapi.minion import state_run as runs
    from lxdapi.model import warning as warnings
    from lxdapi.plan import steps as plans
except ImportError as exc:
    front, _MISSING = None, exc

__version__ = "0.1.0"


def __virtual__():
    """Load if the library of lxdapi and what it needs can be imported."""
    if front is None:
        return False, f"lxdapi: {_MISSING}; it needs requests and requests-unixsocket (README, Dependencies)"
    return front.loadable(__version__)


def _api(remote):
    return front.connect(__salt__, __context__, remote)


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
        See the README, Remotes.
    """
    return plans.state("warning", name, runs.of(globals()), lambda: warnings.acknowledged(_api(remote), name))


def absent(name, remote=None):
    """
    Ensure that warnings are not listed; what has not been mended is reported anew by the daemon.

    .. code-block:: yaml

        Couldn't find the CGroup network priority controller:
          lxdapi_warning.absent

    name
        The UUID of a warning, or its type, for all of this type.
    remote
        See the README, Remotes.
    """
    return plans.state("warning", name, runs.of(globals()), lambda: warnings.absent(_api(remote), name))
