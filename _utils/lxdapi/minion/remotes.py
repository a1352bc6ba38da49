"""
Remotes: the named endpoints below ``lxdapi:remotes`` in the minion's configuration, pillar or grains.
"""

from lxdapi import validation
from lxdapi.errors import InvalidError

LOCAL = "local"
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
