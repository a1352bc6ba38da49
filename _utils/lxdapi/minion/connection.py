"""
What every front for Salt shares: the connection by remote, and whether it can load.

Nothing here knows Salt's dunders; the fronts hand over what they hold.
"""

import hashlib
import logging
import os
import threading

from salt.exceptions import SaltException

from lxdapi import masking as secrets
from lxdapi import validation as names
from lxdapi.api import API
from lxdapi.errors import APINotFoundException, APINotTrustedException, InvalidError
from lxdapi.minion import read_cache as shelves
from lxdapi.trust import pem
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


def loadable(version, name=True):
    """
    Return what ``__virtual__`` returns: True, or (False, why) for a library of another version.

    name
        Of a file that has more functions of another one: that one's.
    """
    if version == VERSION:
        return name
    return (
        False,
        f"lxdapi {version} is here with the library of lxdapi {VERSION}: it is installed twice, by pip "
        "and by saltutil.sync_all; keep one (salt-ssh: install the package anew, then salt-ssh -t)",
    )


def connect(functions, context, remote=None, project=None, target=None):
    """
    Return the :class:`lxdapi.api.API` of a remote, the same one for the whole run.

    functions
        Salt's ``__salt__``.
    context
        Salt's ``__context__``.
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
    config_get = _remembered(context, functions["config.get"])
    secrets.mark(names.patterns("lxdapi:sensitive", config_get("lxdapi:sensitive", None)))
    settings = settings_of(config_get, remote)
    # A forked process (parallel: True) inherits the context, but must not share the sockets.
    identity = repr((os.getpid(), sorted(settings.items()), project))
    key = f"lxdapi:{hashlib.sha256(identity.encode('utf-8')).hexdigest()}"
    if key not in context:
        api = _api(settings, project)
        if config_get("lxdapi:progress_events", False):
            api.tell = _teller(functions, LOCAL if remote is None else remote)
        _keep(context, key, api, config_get)
    return context[key] if target is None else _at(context, key, target)


def _keep(context, key, api, config_get):
    """Put an API into the context, unless another thread was faster."""
    with _KEEPING:
        if key not in context:
            api.shelf = _shelf(context, config_get)
            context[key] = api


def _remembered(context, config_get):
    """Return a ``config.get`` that remembers, as long as that is safe: it takes a tenth of a millisecond each time."""
    shelf = context.get(shelves.KEY)
    return config_get if shelf is None else lambda key, default: shelf.setting(key, default, config_get)


def _shelf(context, config_get):
    """Return what the run has read, the same for all daemons."""
    if shelves.KEY not in context:
        seconds = names.seconds(config_get("lxdapi:snapshot_ttl", shelves.SECONDS))
        context[shelves.KEY] = shelves.Shelf(shelves.SECONDS if seconds is None else seconds)
    return context[shelves.KEY]


def local_file(cache_file, source, saltenv="base"):
    """
    Return the path on this machine of a file: its own, or fetched into the minion's cache.

    cache_file
        Salt's ``cp.cache_file``; an unchanged file of an HTTP server is not fetched again.
    source
        A path, ``salt://`` or ``http(s)://``.

    Raises :class:`InvalidError` if it cannot be had.
    """
    if not isinstance(source, str):
        raise InvalidError(f"{source!r} is no path of a file")
    if "://" not in source:
        return source
    options = {"use_etag": True} if source.startswith("http") else {}
    try:
        path = cache_file(source, saltenv, **options)
    except SaltException as exc:
        raise InvalidError(f"{source} cannot be fetched: {exc}") from exc
    if not path:
        raise InvalidError(f"{source} cannot be fetched")
    return path


def called(what, act):
    """Return what ``act`` does, which calls a function of Salt; where it fails :class:`InvalidError` says of what."""
    try:
        return act()
    except (SaltException, OSError) as exc:
        raise InvalidError(f"{what}: {exc}") from exc


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
        _refuse_untrusted(api, settings.get("cert"))
    return api


def _teller(functions, remote):
    """Return a function that tells the progress of an operation on Salt's event bus, as long as that works."""
    told = [True]

    def tell(identity, data):
        if told[-1] is not False:
            told.append(_told(functions["event.send"], f"lxdapi/{remote}/operation/{identity}/progress", data))

    return tell


def _told(send, tag, data):
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
            _refuse_missing_member(api, target)
        context[there] = found
    return context[there]


def _refuse_missing_member(api, target):
    try:
        api.get(names.path("cluster/members/{name}", name=target))
    except APINotFoundException as exc:
        raise InvalidError(f"there is no cluster member {target!r} on {api.endpoint}") from exc


def _refuse_untrusted(api, cert):
    """Ask the daemon once whether it trusts us: what it shows to strangers looks like "absent"."""
    try:
        _ = api.server
    except APINotTrustedException as exc:
        raise APINotTrustedException(exc.result, f"the daemon does not trust {_ours(cert)}") from None


def _ours(cert):
    if not cert:
        return "a client without certificate"
    when = pem.out_of_date(cert)
    return f"our certificate {pem.read(cert)[0]}" + (f", which {when}" if when else "")
