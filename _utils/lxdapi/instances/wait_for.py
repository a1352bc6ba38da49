"""
Waiting until an instance is as far as somebody needs it: an address, its agent, cloud-init, a command, a port.

What cannot be asked of the daemon is asked by a command inside: ``cloud-init``, ``cmd`` and ``port``, for which
``/proc/net/tcp`` is read (the daemons show nothing of /proc as files).
"""

import json
import re
import time

from lxdapi import validation
from lxdapi.errors import APIException, APINotFoundException, InvalidError, LxdapiError
from lxdapi.http import retry
from lxdapi.instances import exec as execs
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan.steps import Step

WAIT_SECONDS = 60
# An address in /proc/net/tcp that somebody listens on; what writes the text is the instance's own.
_LISTENS = re.compile("[0-9A-F]+:[0-9A-F]{4}")
_LISTENING = "0A"
_LAST = 300
_FAMILIES = {"ipv4": "inet", "ipv6": "inet6"}
_CLOUD_INIT_WORDS = re.compile(r"^(?:status|extended_status): *(\w+)", re.MULTILINE)


def conditions(wait_for):
    """
    Return [(what, of which, seconds or None)] of what is declared.

    wait_for
        A mapping, or a list of them, of ``ipv4`` or ``ipv6`` (the name of a nic inside), ``agent``, ``ready`` or
        ``cloud-init`` (true), ``cmd`` (as for exec; it ends with 0), ``port`` (of TCP, somebody listens); and
        ``timeout``, the seconds for what stands in the same mapping.

    Raises :class:`InvalidError` for anything else.
    """
    given = [wait_for] if isinstance(wait_for, dict) else [] if wait_for is None else wait_for
    if not isinstance(given, (list, tuple)) or not all(isinstance(each, dict) for each in given):
        raise InvalidError(f"wait_for: a mapping is needed, or a list of them, not {wait_for!r}")
    found = []
    for each in given:
        seconds = validation.parse_seconds(each.get("timeout"))
        whats = [key for key in each if key != "timeout"]
        if not whats:
            raise InvalidError(f"wait_for: nothing to wait for; there are: {', '.join(_ASKED)}")
        found += [(what, _validate(what, each[what]), seconds) for what in whats]
    return found


def _validate(what, given):
    if what not in _ASKED:
        raise InvalidError(f"wait_for: unknown {what!r}; there are: {', '.join(_ASKED)} (and timeout)")
    if what in _FAMILIES:
        return validation.check("plain", f"wait_for {what}: nic", given)
    if what == "cmd":
        return execs.make_command(given) and given
    if what == "port":
        port = int(given) if isinstance(given, str) and re.fullmatch("[0-9]{1,5}", given) else given
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
            raise InvalidError(f"wait_for port: a number from 1 to 65535 is needed, not {given!r}")
        return port
    if given is not True:
        raise InvalidError(f"wait_for {what}: true is needed, not {given!r}")
    return None


def plan(api, name, waits, timeout=None):
    """
    Return the steps that wait, one for each condition, which change nothing.

    waits
        What :func:`conditions` returned.
    timeout
        Seconds for each that has none of its own; None: 60.
    """
    path = objects.path_of(KINDS["instance"], name)
    default = validation.parse_seconds(timeout)
    default = WAIT_SECONDS if default is None else default
    return [
        Step("found ready", {}, _waiter(api, name, path, what, which, default if seconds is None else seconds))
        for what, which, seconds in waits
    ]


def _waiter(api, name, path, what, which, seconds):
    ask = _ASKED[what]

    def wait():
        end = time.monotonic() + seconds
        patience = retry.Backoff(seconds)
        while True:
            there, seen = _ask(ask, api, name, path, which, end)
            if there:
                return
            if not patience.sleep():
                subject = " ".join(filter(None, [what, "" if which is None else str(which)]))
                raise LxdapiError(f"{subject} was not there within {seconds} s; seen: {seen or 'nothing'}")

    return wait


def _ask(ask, api, name, path, which, end):
    """Return (whether it is so, what was seen instead); an answer that failed is something seen."""
    try:
        return ask(api.without_retries(), name, path, which, end)
    except APINotFoundException:
        raise
    except APIException as exc:
        return False, exc.explain()


def _state(api, path):
    return api.get(f"{path}/state").metadata or {}


def _address(family):
    def ask(api, name, path, nic, end):
        network = _state(api, path).get("network") or {}
        found = {word: _addresses(each) for word, each in network.items()}
        there = any(kind == family and scope == "global" for kind, scope, _ in found.get(nic, ()))
        words = (f"{word}: {' '.join(address for *_, address in each) or 'none'}" for word, each in found.items())
        return there, "; ".join(words) or "no network"

    return ask


def _addresses(nic):
    return [(each["family"], each["scope"], each["address"]) for each in nic.get("addresses") or ()]


def _agent(api, name, path, which, end):
    count = _state(api, path).get("processes", 0)
    return count > 0, f"{max(count, 0)} processes"


def _ready(api, name, path, which, end):
    now = api.get(path).metadata
    if now["status"] == "Ready":
        return True, ""
    up = now["status"] == "Running" and now.get("type") != "virtual-machine" and _agent(api, name, path, which, end)[0]
    return up, f"status {now['status']}"


def _command(api, name, command, end):
    """Return the outcome of a command that has no longer than what is left."""
    return execs.run(api, name, execs.make_command(command, timeout=max(1, end - time.monotonic())))


def _cmd(api, name, path, command, end):
    outcome = _command(api, name, command, end)
    said = outcome.output.decode("utf-8", "replace").strip()[-_LAST:]
    return outcome.retcode == 0 and outcome.killed is None, f"exit code {outcome.retcode}" + (said and f": {said}")


def _cloud_init(api, name, path, which, end):
    outcome = _command(api, name, ["cloud-init", "status", "--long"], end)
    said = (outcome.output.decode("utf-8", "replace")).strip()
    if outcome.retcode == 127:
        raise LxdapiError("cloud-init is not installed in it")
    status = (_CLOUD_INIT_WORDS.findall(said) or [""])[0]
    if status == "error":
        raise LxdapiError(f"cloud-init failed: {said[-_LAST:]}")
    return status in ("done", "disabled"), said[-_LAST:] or f"exit code {outcome.retcode}"


def _port(api, name, path, port, end):
    outcome = _command(api, name, ["cat", "/proc/net/tcp", "/proc/net/tcp6"], end)
    ports = listening(outcome.stdout.decode("ascii", "replace"))
    return port in ports, f"ports {json.dumps(sorted(ports))}" + ("" if ports else f" (exit code {outcome.retcode})")


def listening(text):
    """Return the set of the ports that somebody listens on, by the text of ``/proc/net/tcp``, at any address."""
    rows = [line.split() for line in text.splitlines()]
    rows = [row for row in rows if len(row) > 3 and row[3] == _LISTENING and _LISTENS.fullmatch(row[1])]
    return {int(row[1].rpartition(":")[2], 16) for row in rows}


_ASKED = {
    "ipv4": _address(_FAMILIES["ipv4"]),
    "ipv6": _address(_FAMILIES["ipv6"]),
    "agent": _agent,
    "ready": _ready,
    "cloud-init": _cloud_init,
    "cmd": _cmd,
    "port": _port,
}
