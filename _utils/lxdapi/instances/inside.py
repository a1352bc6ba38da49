"""
What the daemon keeps of an instance beside its config: its name, the console's log, log files, and what it measures.

Of a log, whatever its size, only the end is asked for: by ``Range``, which LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2 obey.
"""

from functools import partial

from lxdapi import validation as names
from lxdapi.errors import APIException, APINotFoundException, InvalidError
from lxdapi.http import retry
from lxdapi.instances import power as statuses
from lxdapi.model import keyed_lists as items
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan, Step

KIND = KINDS["instance"]
# The most bytes of a file that come unless more is asked for.
LIMIT = 1024 * 1024
# What LXD 5.0.2 says, with 500, of a console that has written nothing; Incus answers with an empty text.
_NOTHING_WRITTEN = "no such file or directory"
# What a daemon says of what it cannot measure: the disk on a dir pool (Incus 7.0.2).
_UNMEASURED = -1


def renamed(api, name, new, stop=False, timeout=None, force=False):
    """
    Return the step that gives an instance another name; none for its own.

    stop
        True: one that runs is stopped for that and brought back to its status. False: it is refused.
    timeout, force
        Of the stop: see :func:`lxdapi.instances.power.reached`. With ``force`` it is stopped in any case.
    """
    converge.path_of(KIND, new)
    stop, force = items.truth("stop", stop or False), items.truth("force", force or False)
    timeout, now = names.seconds(timeout), statuses.settled(api, name)
    if name == new:
        return Plan()
    if converge.read(api, KIND, new) is not None:
        raise InvalidError(f"there is an instance {new} already")
    here, rename = statuses.status(now), partial(converge.rename, api, KIND, name, new)
    if here != "Stopped" and not (stop or force):
        raise InvalidError(f"it is {here}; stop: True stops it for that and starts it again")
    statuses.refuse_vanishing(now, "Stopped")
    changes = {"name": {"old": name, "new": new}}
    stopped = partial(statuses.while_stopped, api, name, here, rename, timeout, force, new, changes)
    return [Step("renamed", changes, rename if here == "Stopped" else stopped)]


def console_log(api, name, clear=False, limit=LIMIT):
    """
    Return the end of what the console has shown; "" for nothing.

    clear
        True: empty it afterwards.
    limit
        The most bytes that come.
    """
    url, clear, limit = place(name, "console"), items.truth("clear", clear or False), whole_number("limit", limit)
    try:
        shown = text(last_bytes(api, url, limit))
    except APIException as exc:
        if exc.status != 500 or _NOTHING_WRITTEN not in exc.error:
            raise
        shown = ""
    if clear:
        removed(api, url)
    return shown


def logs(api, name):
    """Return the names of the log files, sorted."""
    url = place(name, "logs")
    try:
        listed = api.get(url).metadata
    except APINotFoundException:  # of an instance that is not there Incus 6.0.4 names a directory
        api.get(converge.path_of(KIND, name))
        return []
    return sorted(path.rpartition("/")[2] for path in listed or ())


def log(api, name, file, lines=None, limit=LIMIT):
    """
    Return the end of a log file.

    lines
        The last so many lines; None: as many as the limit lets through.
    limit
        The most bytes that come.
    """
    url, limit = _log_place(name, file), whole_number("limit", limit)
    lines = lines if lines is None else whole_number("lines", lines)
    try:
        found = text(last_bytes(api, url, limit))
    except APIException as exc:
        if retry.is_refusal(exc):
            _refuse_missing_log(api, name, file, exc)
        raise
    return found if lines is None else "".join(found.splitlines(keepends=True)[-lines:])


def _refuse_missing_log(api, name, file, exc):
    """Raise in words if there is no such file, of which the daemons speak with 400, 404 and 500."""
    there = logs(api, name)
    if file not in there:
        words = f"{exc.error}; the log files of {name} are: {', '.join(there) or 'none'}"
        raise type(exc)(exc.result, words) from exc


def log_delete(api, name, file):
    """Delete a log file; returns what changed, nothing if there is none."""
    url = _log_place(name, file)
    try:
        gone = removed(api, url)
    except APIException as exc:  # a name that is none of a log, or one of a log that stays, is 400
        if not retry.is_refusal(exc) or file in logs(api, name):
            raise
        return {}
    if not gone:
        logs(api, name)
    return {"deleted": file} if gone else {}


def metrics(api, name=None):
    """
    Return what the daemon measures of an instance.

    name
        None: ``{name: the same}`` of all in the project, by one request.
    """
    if name is not None:
        return _measured(api.get(place(name, "state")).metadata)
    listed = api.get(KIND.collection, params={"recursion": 2}).metadata
    return {each["name"]: _measured({"status": each.get("status"), **(each.get("state") or {})}) for each in listed}


def _measured(state):
    return {
        "status": state.get("status"),
        "pid": state.get("pid") or 0,
        "processes": max(state.get("processes") or 0, 0),
        "cpu": _numbers(state.get("cpu")),
        "memory": _numbers(state.get("memory")),
        "disk": {name: _numbers(facts) for name, facts in (state.get("disk") or {}).items()},
        "network": {name: _interface(facts) for name, facts in (state.get("network") or {}).items()},
    }


def _numbers(facts):
    return {key: None if value == _UNMEASURED else value for key, value in (facts or {}).items()}


def _interface(facts):
    addresses = [f"{each['address']}/{each['netmask']}" for each in facts.get("addresses") or ()]
    kept = {key: facts.get(key) for key in ("type", "state", "hwaddr", "host_name", "mtu")}
    return {"addresses": addresses, **kept, **(facts.get("counters") or {})}


def place(name, below):
    """Return the REST path of something of an instance."""
    return f"{converge.path_of(KIND, name)}/{below}"


def _log_place(name, file):
    return names.path(place(name, "logs/{file}"), file=names.check("snapshot", "log file", file))


def removed(api, url, query=None):
    """Delete what is there; returns False if there was nothing."""
    lost = []
    try:
        # what was deleted and not answered is not there when it is sent again
        retry.settle(api, lambda: api.delete(url, params=query) and True, lambda: lost.append(True))
    except APINotFoundException:
        return bool(lost)
    return True


def last_bytes(api, url, limit, query=None):
    """Return the end of a file that the daemon sends: at most so many bytes."""
    return api.get(url, params=query, headers={"Range": f"bytes=-{limit}"}).response.content[-limit:]


def text(body):
    """Return bytes as text; what is no UTF-8 is replaced."""
    return body.decode("utf-8", "replace")


def whole_number(what, given):
    """Return a number above 0; raises :class:`InvalidError` for what is none."""
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given < 2**40:
        raise InvalidError(f"{what}: a whole number above 0 is needed, not {given!r}")
    return given
