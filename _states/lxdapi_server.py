"""
The configuration of an LXD or Incus server as declared.

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


def _api(remote, target):
    return front.connect(__salt__, __context__, remote, target=target)


def present(name, config=None, sensitive=None, remote=None, target=None):
    """
    Ensure that the server's configuration has the given settings.

    .. code-block:: yaml

        server:
          lxdapi_server.present:
            - config:
                images.auto_update_interval: 0
                user.contact: ops@example.com
                core.proxy_http: null

    name
        Any.
    config
        A mapping of keys to values. Other keys are left alone; ``null`` unsets one, which brings back its
        default; an empty mapping unsets all but the addresses that the server listens on. A secret that the
        server does not show (``core.trust_password``) is set where none is; to change it, unset it first.
    sensitive
        A list of keys of ``config`` (``user.db_*``) whose values nobody shall see: README, Secrets.
    remote
        See the README, Remotes.
    target
        The member of the cluster whose own settings are meant (``core.https_address`` and the like).

    A setting at its default is as good as one that is not set: most daemons do not show it then.
    """
    wanted = {"config": config}
    return plans.state(
        "server",
        name,
        runs.of(globals()),
        lambda: converge.present(_api(remote, target), "server", "server", wanted),
        sensitive,
    )
