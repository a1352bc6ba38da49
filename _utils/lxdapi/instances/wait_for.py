"""
Waits until an instance is ready: an address, its agent, cloud-init, a command or a port.

The daemon does not know everything: for ``cloud-init``, ``cmd`` and ``port`` lxdapi runs a command inside. For ``port``
that command reads ``/proc/net/tcp``, because the daemons do not serve the files of /proc.
"""

import json
import re
import time

from lxdapi import validation
from lxdapi.errors import APIException, APINotFoundException, InvalidError, LxdapiError
from lxdapi.http import retry
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan.steps import Step

WAIT_SECONDS = 60
# A listening address in /proc/net/tcp. The text comes from the instance, so it is not trusted.
_LISTENS = "[0-9A-F]+:[0-9A-F]{4}"
_LISTENING = "0A"
_LAST = 300
_FAMILIES = {"ipv4": "inet", "ipv6": "inet6"}
_CLOUD_INIT_STATUS = r"(?m)^(?:status|extended_status): *(\w+)"


def parse_conditions(wait_for):
    """
    Return [(condition, argument, seconds or None)] of the declaration.

    wait_for
        A mapping, or a list of them, of ``ipv4`` or ``ipv6`` (the name of a nic inside), ``agent``, ``ready`` or
        ``cloud-init`` (true), ``cmd`` (as for exec; it ends with 0), ``port`` (a TCP port with a listener); and
        ``timeout``, the seconds for the conditions of the same mapping.

    Raises :class:`InvalidError` for anything else.
    """
    entries = [wait_for] if isinstance(wait_for, dict) else [] if wait_for is None else wait_for
    if not isinstance(entries, (list, tuple)) or not all(isinstance(each, dict) for each in entries):
        raise InvalidError.of_value("wait_for", "a mapping or a list of mappings", wait_for)
    conditions = []
    for each in entries:
        seconds = validation.parse_seconds(each.get("timeout"))
        names = [key for key in each if key != "timeout"]
        if not names:
            raise InvalidError(f"wait_for has no condition; choose from: {', '.join(_CHECKS)}")
        conditions += [(what, _parse_condition(what, each[what]), seconds) for what in names]
    return conditions


def _parse_condition(name, value):
    validation.require_known("wait_for", [name], (*_CHECKS, "timeout"), "condition")
    if name in _FAMILIES:
        return validation.check("plain", f"wait_for {name}: nic", value)
    if name == "cmd":
        # few conditions need it, and with the websockets it takes a millisecond
        from lxdapi.instances import exec as execs

        return execs.make_command(value) and value
    if name == "port":
        port = int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,5}", value) else value
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
            raise InvalidError.of_value("wait_for port", "a number from 1 to 65535", value)
        return port
    if value is not True:
        raise InvalidError.of_value(f"wait_for {name}", "true", value)
    return None


def plan(api, name, waits, timeout=None) -> list[Step]:
    """
    Return the steps that wait, one for each condition; they change nothing.

    waits
        The result of :func:`parse_conditions`.
    timeout
        Seconds for each condition without its own timeout. Default: 60.
    """
    default = validation.parse_seconds(timeout)
    default = WAIT_SECONDS if default is None else default
    return [
        Step(
            "waited for",
            {},
            _waiter(api, name, what, which, default if seconds is None else seconds),
            failure="is not ready",
        )
        for what, which, seconds in waits
    ]


def _waiter(api, name, what, which, seconds):
    check, path = _CHECKS[what], objects.path_of(KINDS["instance"], name)

    def wait():
        end = time.monotonic() + seconds
        backoff = retry.Backoff(seconds)
        while True:
            is_met, observed = _check_once(check, api, name, path, which, end)
            if is_met:
                return
            if not backoff.sleep():
                reason = _FAILURES[what].format(which)
                raise LxdapiError(f"{reason} after {seconds} s; last observed: {observed or 'nothing'}")

    return wait


def _check_once(check, api, name, path, which, end):
    """Return (whether the condition is met, what was observed); a failed request counts as an observation."""
    try:
        return check(api.without_retries(), name, path, which, end)
    except APINotFoundException:
        raise
    except APIException as exc:
        return False, exc.explain()


def _read_state(api, path):
    return api.get(f"{path}/state").metadata or {}


def _check_address(family):
    def check(api, name, path, nic, end):
        network = _read_state(api, path).get("network") or {}
        addresses = {nic_name: _addresses(each) for nic_name, each in network.items()}
        is_met = any(
            address_family == family and scope == "global" for address_family, scope, _ in addresses.get(nic, ())
        )
        texts = (
            f"{nic_name}: {' '.join(address for *_, address in each) or 'none'}" for nic_name, each in addresses.items()
        )
        return is_met, "; ".join(texts) or "no network"

    return check


def _addresses(nic):
    return [(each["family"], each["scope"], each["address"]) for each in nic.get("addresses") or ()]


def _check_agent(api, name, path, which, end):
    count = _read_state(api, path).get("processes", 0)
    # a virtual machine without its agent has -1
    return count > 0, f"{count} processes" if count >= 0 else "its agent does not answer (processes: -1)"


def _check_ready(api, name, path, which, end):
    metadata = api.get(path).metadata
    if metadata["status"] == "Ready":
        return True, ""
    up = (
        metadata["status"] == "Running"
        and metadata.get("type") != "virtual-machine"
        and _check_agent(api, name, path, which, end)[0]
    )
    return up, f"status {metadata['status']}"


def _run_command(api, name, command, end):
    """Return the outcome of a command that is killed when the waiting time ends."""
    from lxdapi.instances import exec as execs

    return execs.run(api, name, execs.make_command(command, timeout=max(1, end - time.monotonic())))


def _check_command(api, name, path, command, end):
    outcome = _run_command(api, name, command, end)
    output = outcome.output.decode("utf-8", "replace").strip()[-_LAST:]
    return outcome.retcode == 0 and outcome.killed is None, f"exit code {outcome.retcode}" + (output and f": {output}")


def _check_cloud_init(api, name, path, which, end):
    outcome = _run_command(api, name, ["cloud-init", "status", "--long"], end)
    output = (outcome.output.decode("utf-8", "replace")).strip()
    if outcome.retcode == 127:
        raise LxdapiError("cloud-init is not installed in the instance")
    status = (re.findall(_CLOUD_INIT_STATUS, output) or [""])[0]
    if status == "error":
        raise LxdapiError(f"cloud-init failed: {output[-_LAST:]}")
    return status in ("done", "disabled"), output[-_LAST:] or f"exit code {outcome.retcode}"


def _check_port(api, name, path, port, end):
    outcome = _run_command(api, name, ["cat", "/proc/net/tcp", "/proc/net/tcp6"], end)
    ports = listening_ports(outcome.stdout.decode("ascii", "replace"))
    return port in ports, f"ports {json.dumps(sorted(ports))}" + ("" if ports else f" (exit code {outcome.retcode})")


def listening_ports(text):
    """Return the set of listening ports in the text of ``/proc/net/tcp``, at any address."""
    rows = [line.split() for line in text.splitlines()]
    rows = [row for row in rows if len(row) > 3 and row[3] == _LISTENING and re.fullmatch(_LISTENS, row[1])]
    return {int(row[1].rpartition(":")[2], 16) for row in rows}


_FAILURES = {
    "ipv4": "no IPv4 address on {}",
    "ipv6": "no IPv6 address on {}",
    "agent": "no process runs",
    "ready": "not ready",
    "cloud-init": "cloud-init has not finished",
    "cmd": "command {!r} has not succeeded",
    "port": "nobody listens on port {}",
}
_CHECKS = {
    "ipv4": _check_address(_FAMILIES["ipv4"]),
    "ipv6": _check_address(_FAMILIES["ipv6"]),
    "agent": _check_agent,
    "ready": _check_ready,
    "cloud-init": _check_cloud_init,
    "cmd": _check_command,
    "port": _check_port,
}
