"""
The configuration of an LXD or Incus server.

:depends: requests, requests-unixsocket
"""

from lxdapi.minion import state
from lxdapi.plan import converge

__version__ = "0.1.0"


def present(name, config=None, sensitive=None, remote=None, target=None):
    """
    Ensure that the server configuration has the given settings.

    .. code-block:: yaml

        server:
          lxdapi_server.present:
            - config:
                images.auto_update_interval: 0
                user.contact: ops@example.com
                core.proxy_http: null

    name
        Any name; it only appears in messages.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` resets a key to its
        default; an empty mapping resets all keys except the addresses on which the server listens. The server does not
        show some secrets (``core.trust_password``): such a secret is set only if none is set; to change it, reset it
        first. Default: unchanged.
    sensitive
        Further keys of ``config`` to mask in changes, comments and errors: a list of names or shell-style patterns
        (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    target
        Name of the cluster member whose own settings are managed (``core.https_address`` and the like). Default: the
        settings of the cluster.

    A key at its default value counts as unset, because most daemons do not show it.
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
