"""
Sessions with the Salt inside instances, kept for the run: one start of Salt serves several calls.

The fronts pass their globals; nothing here uses Salt's dunders directly.
"""

import os
import threading
from contextlib import contextmanager
from fnmatch import fnmatchcase
from multiprocessing import util

from lxdapi import local_files, validation
from lxdapi.minion import connection
from lxdapi.salt_inside import start
from lxdapi.salt_inside.master import Master

_KEY = "lxdapi:salt_inside:"
PROXY_TYPE = "lxdapi"
# A session of a module function ends when nothing has used it for so long, or with the process.
IDLE_SECONDS = 10
_STORING = threading.Lock()


class _Entry:
    """The session of an instance, which one caller uses at a time."""

    def __init__(self, open_session):
        self.lock, self._open_session = threading.RLock(), open_session
        self.session, self._stack, self._timer = None, None, None

    def get(self):
        """Return the session, a new one if it has ended."""
        if self._timer is not None:
            self._timer.cancel()
        if self.session is None or not self.session.is_alive():
            self.close()
            self.session, self._stack = self._open_session()
        return self.session

    def close_later(self):
        """Close the session when nothing has used it for a while."""
        self._timer = threading.Timer(IDLE_SECONDS, self._close_idle)
        self._timer.daemon = True
        self._timer.start()

    def _close_idle(self):
        if self.lock.acquire(blocking=False):  # otherwise somebody uses it
            try:
                self.close()
            finally:
                self.lock.release()

    def close(self):
        """End the session and what was prepared for it."""
        if self._stack is not None:
            stack, self.session, self._stack = self._stack, None, None
            stack.close()


class _Sessions:
    """The sessions of a run. They end with it, or with the process."""

    def __init__(self):
        self.entries = {}
        self._pid = os.getpid()
        # also runs at the end of the process of a job, where atexit does not
        util.Finalize(self, _close_all, args=(self.entries, self._pid), exitpriority=10)


def _close_all(entries, pid):
    if os.getpid() == pid:
        for entry in list(entries.values()):
            entry.close()


@contextmanager
def use(
    names,
    instance,
    python=start.AUTO,
    remote=None,
    project=None,
    keep=True,
    keep_device=False,
    minion_id=None,
    sealed=None,
):
    """
    Yield the :class:`lxdapi.salt_inside.session.Session` of an instance.

    names
        The globals of the front.
    python, remote, project
        See :func:`lxdapi.salt_inside.start.open_session` and :func:`lxdapi.minion.connection.connect`.
    keep
        True: the next call may use the session too.
    keep_device
        True: this applies to a session that holds a device of the instance, too. Otherwise it is closed, so that no
        copy or snapshot of the instance gets the device.
    minion_id
        The id of the Salt inside. Default: the name of the instance.
    sealed
        True: serve only the files that the calls name. Default: the setting ``lxdapi:sealed``.
    """
    validation.check("instance", "instance", instance)
    start.parse_python(python)
    sealed = is_sealed(names, instance, sealed)
    api = connection.connect(names, remote, project)
    entry = _entry(names, instance, python, api, minion_id or instance, sealed)
    with entry.lock:
        session = entry.get()
        try:
            yield session
        finally:
            if keep and session.is_open and (keep_device or not session.holds_device):
                entry.close_later()
            else:
                entry.close()


def _entry(names, instance, python, api, minion_id, sealed):
    """Return the :class:`_Entry` of an instance, the same one for the whole run."""
    context, opts = names["__context__"], names["__opts__"]
    key = f"{_KEY}{os.getpid()}"
    with _STORING:
        if key not in context:
            context[key] = _Sessions()
        entries = context[key].entries
        identity = (id(api), instance, python, minion_id, sealed)
        if identity not in entries:
            store = start.Store(store_folder(opts), opts.get("thin_extra_mods") or "")
            master = Master(opts, minion_id, _instance_pillar(names, minion_id), _event_sender(names), sealed)
            entries[identity] = _Entry(lambda: start.open_session(api, instance, master, store, python))
        return entries[identity]


def store_folder(opts):
    """Return the folder of this machine with the files for instances."""
    return os.path.join(local_files.cache_folder(opts["cachedir"]), "inside")


def is_sealed(names, instance, sealed):
    """Return whether an instance is sealed: as declared, or by the setting, which is true or has names."""
    if sealed is None:
        setting = names["__salt__"]["config.get"]("lxdapi:sealed", False)
        if isinstance(setting, (list, tuple)):
            return any(fnmatchcase(instance, str(each)) for each in setting)
        sealed = setting or False
    return validation.truth("sealed", sealed)


def is_proxy(names):
    """Return True if the front runs in a proxy minion of lxdapi."""
    return (names["__opts__"].get("proxy") or {}).get("proxytype") == PROXY_TYPE


def _instance_pillar(names, minion_id):
    """Return the pillar of an instance: that of a proxy minion, or the one in the settings of this minion."""
    if is_proxy(names):
        # how the proxy reaches the daemon is not for the instance
        return {key: value for key, value in names["__pillar__"].items() if key not in ("proxy", "lxdapi")}
    declared = names["__salt__"]["config.get"]("lxdapi:instance_pillar", {})
    declared = validation.mapping("lxdapi:instance_pillar", declared, "a mapping of instances to mappings")
    return validation.mapping(minion_id, declared.get(minion_id))


def _event_sender(names):
    """Return Salt's ``event.send``; None without a master."""
    return names["__salt__"].get("event.send") if names["__opts__"].get("file_client") != "local" else None


def close(names, instance):
    """Close the sessions of an instance."""
    sessions = names["__context__"].get(f"{_KEY}{os.getpid()}")
    for (_, name, *_), entry in list(sessions.entries.items()) if sessions else ():
        if name == instance:
            with entry.lock:
                entry.close()


def call(
    names,
    instance,
    function,
    args=(),
    kwargs=None,
    python=start.AUTO,
    remote=None,
    project=None,
    sealed=None,
    minion_id=None,
):
    """Return the result of a function inside; its exit code becomes that of the call."""
    with use(names, instance, python, remote, project, minion_id=minion_id, sealed=sealed) as session:
        reply = session.call(function, args, kwargs)
    names["__context__"]["retcode"] = reply.retcode
    return reply.value
