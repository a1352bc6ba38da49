"""
Connections of the fronts, one for each remote and project of a run.

The fronts pass their globals; nothing here uses Salt's dunders directly.
"""

import hashlib
import logging
import os
import threading

from lxdapi import masking, validation
from lxdapi.api import API
from lxdapi.errors import APINotFoundException, APINotTrustedException, InvalidError
from lxdapi.minion import read_cache, remotes, version_check

log = logging.getLogger(__name__)

_STORING = threading.Lock()


def connect(names, remote=None, project=None, target=None):
    """
    Return the :class:`lxdapi.api.API` of a remote, the same one for the whole run.

    names
        The globals of the front.
    remote
        A name below ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the remote ``local``
        if it is configured, otherwise the daemon of this machine.
    project
        A project of the daemon. Default: the remote's, otherwise ``default``.
    target
        A member of the cluster, for objects that each member has for itself. Default: the daemon chooses.

    This sets the patterns of ``lxdapi:sensitive``, whose values are masked from now on. With
    ``lxdapi:progress_events`` the API sends the progress of operations to Salt's event bus, and it knows the image
    servers of ``lxdapi:image_servers``.
    """
    config_get = _prepared_config_get(names)
    label = remotes.LOCAL if remote is None else remote
    return _connect(names, config_get, remotes.settings_of(config_get, remote), label, project, target)


def connect_to(names, address=None, cert=None, key=None, verify=True):
    """
    Return the :class:`lxdapi.api.API` of an address, for the front of the drop-in; the same one for the whole run.

    address, cert, key, verify
        See :func:`lxdapi.minion.remotes.settings_of_address`. Without an address, see :func:`connect`.
    """
    if address in (None, "", remotes.LOCAL_ADDRESS):
        return connect(names)
    settings = remotes.settings_of_address(address, cert, key, verify)
    return _connect(names, _prepared_config_get(names), settings, address)


def _prepared_config_get(names):
    """Return the ``config.get`` of the run after setting the patterns of the keys to mask."""
    config_get = _cached_config_get(names)
    masking.set_patterns(validation.parse_patterns("lxdapi:sensitive", config_get("lxdapi:sensitive", None)))
    return config_get


def _connect(names, config_get, settings, label, project=None, target=None):
    """Return the API of settings; ``label`` names the remote in events."""
    context = names["__context__"]
    # A forked process (parallel: True) inherits the context, but must not share the sockets.
    identity = repr((os.getpid(), sorted(settings.items()), project))
    key = f"lxdapi:{hashlib.sha256(identity.encode('utf-8')).hexdigest()}"
    if key not in context:
        version_check.require_one_version(names)
        api = _create_api(settings, project)
        api.image_servers = config_get("lxdapi:image_servers", {}) or {}
        if config_get("lxdapi:progress_events", False):
            api.on_progress = _event_sender(names["__salt__"], label)
        _store(context, key, api, config_get)
    return context[key] if target is None else _member_api(context, key, target)


def _store(context, key, api, config_get):
    """Put an API into the context, unless another thread was faster."""
    with _STORING:
        if key not in context:
            api.cache = _read_cache(context, config_get)
            context[key] = api


def _cached_config_get(names):
    """Return a ``config.get`` that caches while that is safe: each call takes a tenth of a millisecond."""
    cache = names["__context__"].get(read_cache.KEY)

    def read(key, default):
        return names["__salt__"]["config.get"](key, default)

    return read if cache is None else lambda key, default: cache.setting(key, default, read)


def _read_cache(context, config_get):
    """Return the read cache of the run, one for all daemons."""
    if read_cache.KEY not in context:
        seconds = validation.parse_seconds(config_get("lxdapi:snapshot_ttl", read_cache.SECONDS))
        context[read_cache.KEY] = read_cache.RunCache(read_cache.SECONDS if seconds is None else seconds)
    return context[read_cache.KEY]


def _create_api(settings, project):
    api = API.factory(**{**settings, **({} if project is None else {"project": project})})
    if api.endpoint.startswith("https"):
        _require_trusted(api, settings.get("cert"))
    return api


def _event_sender(functions, remote):
    """Return a function that sends the progress of an operation to Salt's event bus, until sending fails."""
    sent = [True]

    def on_progress(operation_id, data):
        if sent[-1] is not False:
            sent.append(
                _send_event(functions["event.send"], f"lxdapi/{remote}/operation/{operation_id}/progress", data)
            )

    return on_progress


def _send_event(send, tag, data):
    try:
        return send(tag, data)
    except Exception as exc:  # any error of an event bus without a master: the operation continues
        log.warning("lxdapi: could not send progress events, and stopped sending them: %s", exc)
        return False


def _member_api(context, key, target):
    """Return the API of a member after checking once that it exists: objects of an unknown member look absent."""
    member_key = f"{key}:{target}"
    if member_key not in context:
        api = context[key]
        member_api = api.at(target)
        # creating an instance checks the cluster group
        if not target.startswith("@"):
            _require_member(api, target)
        context[member_key] = member_api
    return context[member_key]


def _require_member(api, target):
    try:
        api.get(validation.path("cluster/members/{name}", name=target))
    except APINotFoundException as exc:
        raise InvalidError(f"cluster member {target!r} does not exist on {api.address_text}") from exc


def _require_trusted(api, cert):
    """Raise if the daemon does not trust the client: to untrusted clients everything looks absent."""
    try:
        _ = api.server
    except APINotTrustedException as exc:
        raise APINotTrustedException(exc.result, f"the daemon does not trust {_certificate_label(cert)}") from None


def _certificate_label(cert):
    if not cert:
        return "a client without a certificate: declare cert and key for the remote"
    # imported here, because only remote daemons need it
    from lxdapi.http import pem

    when = pem.expiry_reason(cert)
    return f"the client certificate {pem.read(cert)[0]}" + (f", which {when}" if when else "")
