"""
The configuration of an LXD or Incus server as declared.

:depends: requests, requests-unixsocket
"""

from lxdapi.minion import state
from lxdapi.plan import converge


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
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    target
        The member of the cluster whose own settings are meant (``core.https_address`` and the like).

    A setting at its default is as good as one that is not set: most daemons do not show it then.
    """
    declared = {"config": config}
    return state.run(
        globals(),
        "server",
        name,
        lambda api: converge.plan_present(api, "server", "server", declared),
        remote=remote,
        target=target,
        sensitive=sensitive,
    )
