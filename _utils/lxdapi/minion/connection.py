"""
What every front for Salt shares: the connection by remote, and the check that front and library are of one version.

The fronts hand over their globals; nothing here has Salt's dunders of its own.
"""

import hashlib
import logging
import os
import re
import threading

from lxdapi import masking, validation
from lxdapi.api import API
from lxdapi.errors import APINotFoundException, APINotTrustedException, InvalidError
from lxdapi.http import pem
from lxdapi.minion import read_cache
from lxdapi.version import VERSION

log = logging.getLogger(__name__)

LOCAL = "local"
_KEEPING = threading.Lock()
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


def connect(names, remote=None, project=None, target=None):
    """
    Return the :class:`lxdapi.api.API` of a remote, the same one for the whole run.

    names
        The globals of the front.
    remote
        A name below ``lxdapi:remotes`` in the minion's configuration, pillar or grains; None: the one
        called ``local`` if there is one, else the daemon of this machine.
    project
        Of the daemon; None: the remote's, else ``default``.
    target
        A member of the cluster, for what each member has of its own; None: the daemon's choice.

    From here on the values of what ``lxdapi:sensitive`` names are secret. With ``lxdapi:progress_events`` what lasts is
    told on Salt's event bus.
    """
    functions, context = names["__salt__"], names["__context__"]
    config_get = _cached(context, functions["config.get"])
    masking.set_patterns(validation.parse_patterns("lxdapi:sensitive", config_get("lxdapi:sensitive", None)))
    settings = settings_of(config_get, remote)
    # A forked process (parallel: True) inherits the context, but must not share the sockets.
    identity = repr((os.getpid(), sorted(settings.items()), project))
    key = f"lxdapi:{hashlib.sha256(identity.encode('utf-8')).hexdigest()}"
    if key not in context:
        require_one_version(names)
        api = _api(settings, project)
        if config_get("lxdapi:progress_events", False):
            api.on_progress = _event_sender(functions, LOCAL if remote is None else remote)
        _keep(context, key, api, config_get)
    return context[key] if target is None else _at(context, key, target)


def _keep(context, key, api, config_get):
    """Put an API into the context, unless another thread was faster."""
    with _KEEPING:
        if key not in context:
            api.cache = _read_cache(context, config_get)
            context[key] = api


def _cached(context, config_get):
    """Return a ``config.get`` that remembers, as long as that is safe: it takes a tenth of a millisecond each time."""
    cache = context.get(read_cache.KEY)
    return config_get if cache is None else lambda key, default: cache.setting(key, default, config_get)


def _read_cache(context, config_get):
    """Return what the run has read, the same for all daemons."""
    if read_cache.KEY not in context:
        seconds = validation.parse_seconds(config_get("lxdapi:snapshot_ttl", read_cache.SECONDS))
        context[read_cache.KEY] = read_cache.ReadCache(read_cache.SECONDS if seconds is None else seconds)
    return context[read_cache.KEY]


def require_one_version(names):
    """
    Raise :class:`InvalidError` if the fronts are of another version than the library.

    names
        The globals of the front that is called. The fronts have one version, which ``lxdapi.py`` among the execution
        modules beside it names: they are synced, installed or shipped together.
    """
    folder = os.path.dirname(os.path.dirname(names.get("__file__", "")))
    version = _version_of(folder)
    if version not in (None, VERSION):
        library = os.path.dirname(os.path.dirname(__file__))
        raise InvalidError(
            f"lxdapi {version} ({folder}) runs with the library of lxdapi {VERSION} ({library}). Over salt-ssh, "
            "run salt-ssh -t; otherwise it is installed twice, by pip and by saltutil.sync_all; keep one"
        )


def _version_of(folder):
    """Return the version of the fronts below a folder, None if there is none."""
    for modules in ("modules", "_modules"):
        try:
            with open(os.path.join(folder, modules, "lxdapi.py"), encoding="utf-8") as file:
                found = re.search(r'^__version__ = "(.+)"$', file.read(), re.MULTILINE)
        except OSError:
            continue
        return found and found[1]
    return None


def settings_of(config_get, remote):
    """
    Return the settings of a remote, for :meth:`lxdapi.api.API.factory`.

    config_get
        Salt's ``config.get``.
    remote
        See :func:`connect`.

    Raises :class:`InvalidError` if there is no such remote, or if it has settings that there are not.
    """
    remotes = config_get("lxdapi:remotes", {}) or {}
    if remote is None and LOCAL not in remotes:
        return {}
    name = LOCAL if remote is None else remote
    if not isinstance(name, str) or name not in remotes:
        known = ", ".join(sorted(remotes)) or "none"
        raise InvalidError(f"remote {name!r} is not below lxdapi:remotes; there are: {known}")
    settings = remotes[name]
    if isinstance(settings, str):
        settings = {"endpoint": settings}
    if not isinstance(settings, dict):
        raise InvalidError(f"remote {name!r}: an endpoint or a mapping of settings is needed")
    unknown = sorted(set(settings) - set(_OPTIONS))
    if unknown:
        raise InvalidError(f"remote {name!r}: unknown setting {', '.join(unknown)}; there are: {', '.join(_OPTIONS)}")
    return settings


def _api(settings, project):
    api = API.factory(**{**settings, **({} if project is None else {"project": project})})
    if api.endpoint.startswith("https"):
        _require_trusted(api, settings.get("cert"))
    return api


def _event_sender(functions, remote):
    """Return a function that tells the progress of an operation on Salt's event bus, as long as that works."""
    told = [True]

    def tell(identity, data):
        if told[-1] is not False:
            told.append(_send_event(functions["event.send"], f"lxdapi/{remote}/operation/{identity}/progress", data))

    return tell


def _send_event(send, tag, data):
    try:
        return send(tag, data)
    except Exception as exc:  # whatever a bus without a master raises: the operation goes on without it
        log.warning("lxdapi: progress is not told any more: %s", exc)
        return False


def _at(context, key, target):
    """Return the API of a member, for which the daemon is asked once: on one that does not exist all looks absent."""
    there = f"{key}:{target}"
    if there not in context:
        api = context[key]
        found = api.at(target)
        # a group of the cluster is for whoever makes an instance
        if not target.startswith("@"):
            _require_member(api, target)
        context[there] = found
    return context[there]


def _require_member(api, target):
    try:
        api.get(validation.path("cluster/members/{name}", name=target))
    except APINotFoundException as exc:
        raise InvalidError(f"there is no cluster member {target!r} on {api.endpoint}") from exc


def _require_trusted(api, cert):
    """Ask the daemon once whether it trusts us: what it shows to strangers looks like "absent"."""
    try:
        _ = api.server
    except APINotTrustedException as exc:
        raise APINotTrustedException(exc.result, f"the daemon does not trust {_certificate_label(cert)}") from None


def _certificate_label(cert):
    if not cert:
        return "a client without certificate"
    when = pem.expiry_reason(cert)
    return f"our certificate {pem.read(cert)[0]}" + (f", which {when}" if when else "")
