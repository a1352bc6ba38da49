"""
Remotes: the named endpoints below ``lxdapi:remotes`` in the minion's configuration, pillar or grains.
"""

import os

from lxdapi import validation
from lxdapi.errors import InvalidError

LOCAL = "local"
# An address that means the local daemon, wherever its socket is.
LOCAL_ADDRESS = "/var/lib/lxd/unix.socket"
_OPTIONS = (
    "endpoint",
    "cert",
    "key",
    "fingerprint",
    "verify",
    "project",
    "timeout",
    "wait_timeout",
    "retry_timeout",
    "debug",
)


def settings_of(config_get, remote):
    """
    Return the settings of a remote, for :meth:`lxdapi.api.API.factory`.

    config_get
        Salt's ``config.get``.
    remote
        See :func:`lxdapi.minion.connection.connect`.

    Raises :class:`InvalidError` for an unknown remote or setting.
    """
    remotes = config_get("lxdapi:remotes", {}) or {}
    if remote is None and LOCAL not in remotes:
        return {}
    name = LOCAL if remote is None else remote
    if not isinstance(name, str) or name not in remotes:
        known = ", ".join(sorted(remotes)) or "none"
        raise InvalidError(f"unknown remote {name!r} (lxdapi:remotes); choose from: {known}")
    settings = remotes[name]
    if isinstance(settings, str):
        settings = {"endpoint": settings}
    if not isinstance(settings, dict):
        raise InvalidError.of_value(f"remote {name!r}", "an endpoint or a mapping of settings", settings)
    validation.require_known(f"remote {name!r}", settings, _OPTIONS, "setting")
    return settings


def settings_of_address(address, cert=None, key=None, verify=True):
    """
    Return the settings of an address, for :meth:`lxdapi.api.API.factory`.

    address
        The path of a socket, or an ``https://`` URL.
    cert, key
        The paths of the client certificate and its key, which may begin with ``~``. A URL requires both.
    verify
        True: the system's certificate authorities; a path: this CA file; False: any server, with a warning.
    """
    if not isinstance(address, str):
        raise InvalidError.of_value("remote_addr", "the path of a socket or an https:// URL", address)
    if address.startswith("/"):
        return {"endpoint": address}
    if not cert or not key:
        raise InvalidError(f"{address} requires cert and key: declare the paths of the client certificate and its key")
    paths = {"cert": os.path.expanduser(cert), "key": os.path.expanduser(key)}
    return {"endpoint": address, **paths, "verify": os.path.expanduser(verify) if isinstance(verify, str) else verify}
