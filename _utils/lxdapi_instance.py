"""
What instances need beyond the table: sources, status, and the order of changes around a stop.

Only ``instances/NAME`` is asked for the status: ``instances/NAME/state`` answers 500 around every
stop on Incus 6.0.4.
"""

import time

import lxdapi_converge as converge
import lxdapi_diff as diff
import lxdapi_items as items
import lxdapi_names as names
import lxdapi_plan as plans
import lxdapi_source as sources
from lxdapi_errors import (
    APINotFoundException,
    APIOperationException,
    APITimeoutException,
    InvalidError,
    LxdapiError,
)
from lxdapi_kinds import KINDS
from lxdapi_plan import Step

KIND = KINDS["instance"]
STOP_SECONDS = 30
START_SECONDS = 120
_SETTLE_PAUSE = 0.2
_TYPES = {"container": "container", "virtual-machine": "virtual-machine", "vm": "virtual-machine"}
# The server's word for a running guest whose agent is up is "Ready": running all the same.
_SAME_STATUS = {"Ready": "Running"}
_STABLE = ("Running", "Stopped", "Frozen", "Error")
# action: (the status that it leads to, what is done by it)
_ACTIONS = {
    "start": ("Running", "started"),
    "unfreeze": ("Running", "unfrozen"),
    "stop": ("Stopped", "stopped"),
    "freeze": ("Frozen", "frozen"),
}
# (from, to): the actions that lead there.
_WAYS = {
    ("Stopped", "Running"): ("start",),
    ("Error", "Running"): ("start",),
    ("Frozen", "Running"): ("unfreeze",),
    ("Running", "Stopped"): ("stop",),
    ("Error", "Stopped"): ("stop",),
    # a graceful stop of a frozen instance times out on Incus 6.0.4
    ("Frozen", "Stopped"): ("unfreeze", "stop"),
    ("Running", "Frozen"): ("freeze",),
    ("Stopped", "Frozen"): ("start", "freeze"),
    ("Error", "Frozen"): ("start", "freeze"),
}
# Keys whose documentation on Incus 6.0.4 (/1.0/metadata/configuration) says: no live update. For
# security.nesting it says the contrary, but it was seen to take effect at a start only (both daemons).
NEEDS_RESTART = (
    "agent.nic_config",
    "limits.memory.hugepages",
    "linux.sysctl.",
    "nvidia.",
    "raw.idmap",
    "raw.lxc",
    "raw.qemu",
    "raw.seccomp",
    "security.agent.metrics",
    "security.csm",
    "security.devlxd",
    "security.guestapi",
    "security.idmap.",
    "security.iommu",
    "security.nesting",
    "security.privileged",
    "security.secureboot",
    "security.sev",
    "security.syscalls.",
)
# Kinds that a device names: the key that holds the name.
_NEEDS = {"network": "network", "storage_pool": "pool"}
# As Debian calls them; the daemon stores its own name.
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64", "armhf": "armv7l", "i386": "i686", "ppc64el": "ppc64le"}


def status(current):
    """Return the status of the instance in a GET's result; ``Ready`` counts as ``Running``."""
    word = current.metadata["status"]
    return _SAME_STATUS.get(word, word)


def type_of(word):
    """Return the REST word for an instance type; raises :class:`InvalidError` for an unknown one."""
    if word is not None and (not isinstance(word, str) or word not in _TYPES):
        raise InvalidError(f"type {word!r}: there are container and virtual-machine (or vm)")
    return _TYPES.get(word)


def create(api, name, wanted, source, timeout=None, extra=None):
    """
    Create the instance with everything in it, in one call, and wait.

    extra
        What the body has beyond the fields and the source.
    """
    source = sources.looked_up(api, sources.source_of(source))
    inherited = sources.inherited(api, source) if source["type"] == "copy" else {}
    body = {**(extra or {}), "source": source}
    converge.create(api, KIND, name, {**inherited, **wanted}, timeout, body)


def creation(api, name, wanted, source, timeout=None):
    """
    Return the steps to a new instance.

    ``image.*`` keys and the architecture are overwritten from the image at create (all three), so what
    is declared of them is written afterwards.
    """
    sources.source_of(source)
    act = lambda: create(api, name, wanted, source, timeout)  # noqa: E731
    made = Step("created", {"created": name}, act, lacking=lambda: lacking(api, wanted))
    late = "architecture" in wanted or any(key.startswith("image.") for key in wanted.get("config") or ())
    return [made] + (converge.completion(api, KIND, name, wanted) if late else [])


def lacking(api, wanted):
    """Return in words the declared profiles, networks and storage pools that do not exist."""
    needed = [("profile", name) for name in wanted.get("profiles") or ()]
    for device in (wanted.get("devices") or {}).values():
        needed += [(word, device[key]) for word, key in _NEEDS.items() if device and device.get(key)]
    missing = [f"{KINDS[word].label} {name}" for word, name in dict.fromkeys(needed) if not _exists(api, word, name)]
    return f"{', '.join(missing)} {'does' if len(missing) == 1 else 'do'} not exist" if missing else ""


def _exists(api, word, name):
    return converge.read(api, KINDS[word], name) is not None


def present(api, name, wanted, source=None, running=None, restart_on_change=False, timeout=None, renamed_from=None):
    """
    Return the steps to an instance with the declared fields, and with ``running`` its status.

    A stopped instance is changed before it is started, and a running one that shall be stopped is
    stopped first. ``restart_on_change``: stopped for a change that only a start brings into effect.
    ``renamed_from``: an instance that becomes this one if this one does not exist; it has to be stopped.
    """
    goal, timeout = goal_of(running), names.seconds(timeout)
    wanted = _normal(api, wanted)
    current = converge.read(api, KIND, name)
    renamed = [] if current is not None else converge.rename_steps(api, KIND, renamed_from, name)
    if renamed:
        current = converge.read(api, KIND, renamed_from)
    if current is None:
        made = creation(api, name, wanted, source, timeout)
        return made + (steps_to(api, name, "Stopped", "Running") if running else [])
    now = settled(api, name, current)
    _refuse_vanishing(now, goal)
    return renamed + _existing(api, name, now, goal, _changed(api, name, wanted, now, restart_on_change, bool(renamed)))


def made(api, name, settings):
    """Return the steps to a new instance, whether there is one or not: the daemon refuses a second one."""
    converge.path_of(KIND, name)
    wanted = {field: given for field, given in settings.items() if field != "source"}
    return creation(api, name, _normal(api, wanted), settings.get("source"))


def _normal(api, wanted):
    """Return the declared fields with canonical values; an architecture that the server lacks is refused."""
    # the daemon takes any word and does not keep it (all three); in a cluster another member may have it
    word = _ARCHITECTURES.get(str(wanted.get("architecture")), wanted.get("architecture"))
    wanted = diff.normal(KIND, {**wanted, "architecture": word, "type": type_of(wanted.get("type"))})
    found = (api.server.get("environment") or {}) if word else {}
    known = found.get("architectures") or ()
    if known and word not in known and not found.get("server_clustered"):
        raise InvalidError(f"architecture {word!r}: the server has {', '.join(known)}")
    return wanted


def _existing(api, name, now, goal, changes):
    """Return the steps for an instance that is there: the change before a start, and after a stop."""
    if not changes:
        return _towards(api, name, status(now), goal)
    change, stop = changes
    here = status(now)
    if here == "Stopped" or not (stop or goal == "Stopped"):
        return [change] + _towards(api, name, here, goal)
    if goal == "Stopped":
        return steps_to(api, name, here, "Stopped") + [change]
    return [_stopped_for(api, name, here, change)] + _towards(api, name, "Stopped", goal or here)


def _stopped_for(api, name, here, change):
    """Return the change and the stop before it as one step: refused, the instance runs again."""
    stop = steps_to(api, name, here, "Stopped")
    changes = {"status": {"old": here, "new": "Stopped"}}

    def act():
        done = plans.do(stop)
        try:
            actual = change.act()
        except LxdapiError:
            plans.do(steps_to(api, name, "Stopped", here))
            raise
        return {**done, **actual}

    return change._replace(changes={**changes, **change.changes}, act=act)


def goal_of(running):
    """Return the status that ``running`` declares, None for None."""
    if running not in (None, True, False):
        raise InvalidError(f"running: true or false is needed, not {running!r}")
    return {None: None, True: "Running", False: "Stopped"}[running]


def _towards(api, name, here, goal):
    """Return the steps to the status that is wanted; frozen is running where only that is asked."""
    return steps_to(api, name, here, goal) if goal else []


def _changed(api, name, wanted, now, restart_on_change, afresh=False):
    """Return (the update step, whether to stop for it), None if the instance is as declared."""
    steps = converge.update_steps(api, KIND, name, wanted, now)
    if not steps:
        return None
    steps = [step._replace(lacking=lambda: lacking(api, wanted)) for step in steps]
    if afresh:
        steps = [_fresh(api, name, wanted, steps[0])]
    late = needs_restart(now, steps[0].changes)
    if not late or status(now) == "Stopped" or (restart_on_change and not now.metadata["ephemeral"]):
        return _fresh(api, name, wanted, steps[0]), bool(late)
    words = f"{', '.join(late)} takes effect at the next start (restart_on_change: True restarts)"
    return steps[0]._replace(note=words), False


def _refuse_vanishing(now, goal):
    """Raise for a stop that would delete: the daemon removes an ephemeral instance when it stops."""
    if goal == "Stopped" and status(now) != "Stopped" and now.metadata["ephemeral"]:
        raise InvalidError("it is ephemeral: a stop would delete it; declare it absent if that is meant")


def _fresh(api, name, wanted, step):
    """Return the update step reading again first: a stop before it changes the object."""
    return step._replace(act=lambda: converge.update(api, KIND, name, wanted))


def needs_restart(now, changes):
    """Return what of the changes a running instance takes over at its next start only."""
    config = [key for key in changes.get("config", ()) if key.startswith(NEEDS_RESTART)]
    if now.metadata["type"] == "virtual-machine":
        config += [key for key in changes.get("config", ()) if key.startswith("limits.")]
        config += changes.get("devices", ())
    return sorted(config)


def settled(api, name, current=None, timeout=STOP_SECONDS):
    """Return the instance once it is in none of the passing states (Starting, Stopping, ...)."""
    deadline = time.monotonic() + timeout
    while True:
        current = current or api.get(converge.path_of(KIND, name))
        if status(current) in _STABLE:
            return current
        if time.monotonic() >= deadline:
            raise APITimeoutException(current, f"still {status(current)} after {timeout} s")
        time.sleep(_SETTLE_PAUSE)
        current = None


def reached(api, name, goal, timeout=None, force=False):
    """
    Return the steps to a status of an existing instance.

    goal
        ``Running``, ``Stopped`` or ``Frozen``.
    timeout
        Seconds for each action; None: 30 for a stop, 120 for a start.
    force
        A stop that was not obeyed in time is done by force.
    """
    timeout, force = names.seconds(timeout), items.truth("force", force or False)
    current = converge.read(api, KIND, name)
    if current is None:
        return [_once_it_exists(api, name, goal, timeout, force)]
    current = settled(api, name, current)
    _refuse_vanishing(current, goal)
    return steps_to(api, name, status(current), goal, timeout, force)


def _once_it_exists(api, name, goal, timeout, force):
    """
    Return the step for an instance that is not there: in test mode an earlier state of the run would
    have made it, in an apply it is a failure.
    """

    def act():
        current = settled(api, name)
        return plans.do(steps_to(api, name, status(current), goal, timeout, force))

    change = {"status": {"old": None, "new": goal}}
    verb = next(done for there, done in _ACTIONS.values() if there == goal)
    return Step(verb, change, act, "it does not exist yet")


def steps_to(api, name, here, goal, timeout=None, force=False):
    """Return the steps from one status to another; none if it is the same."""
    if here == goal:
        return []
    ways = _WAYS.get((here, goal))
    if ways is None:
        raise InvalidError(f"no way from {here} to {goal}; there are Running, Stopped and Frozen")
    if force and here == "Frozen" and goal == "Stopped":
        ways = ("stop",)
    steps = []
    for action in ways:
        steps.append(_step(api, name, here, action, timeout, force))
        here, _ = _ACTIONS[action]
    return steps


def _step(api, name, here, action, timeout, force):
    there, done = _ACTIONS[action]
    change = {"status": {"old": here, "new": there}}
    if action == "stop" and force and timeout == 0:
        change["forced"] = True

    def act():
        forced = act_on(api, name, action, timeout, force)
        return {**change, "forced": True} if forced else change

    return Step(done, change, act)


def act_on(api, name, action, timeout=None, force=False):
    """
    Do an action on an instance and wait for it; returns True if a stop had to be forced.

    action
        ``start``, ``stop``, ``restart``, ``freeze``, ``unfreeze``.
    """
    seconds = timeout if timeout is not None else STOP_SECONDS
    graceful = action in ("stop", "restart")
    if not graceful:
        put_state(api, name, {"action": action}, START_SECONDS if timeout is None else timeout)
        return False
    if seconds > 0 or not force:
        try:
            put_state(api, name, {"action": action, "timeout": seconds}, seconds + STOP_SECONDS)
            return False
        except APIOperationException:
            if not force:
                raise
    put_state(api, name, {"action": action, "force": True}, STOP_SECONDS)
    return True


def put_state(api, name, body, wait):
    """Send an action and wait for the end; that an ephemeral instance vanished with its stop is one."""
    result = api.put(converge.path_of(KIND, name) + "/state", json=body)
    try:
        result.wait(wait)
    except APIOperationException as exc:
        if not _arrived(api, name, body["action"], exc.error):
            raise


def _arrived(api, name, action, words):
    """
    Return True if the instance is where the action leads although it failed: another was faster.

    The status alone proves nothing: after a failed start it can read Running for a moment. Both
    daemons say that it "is already running", stopped or frozen.
    """
    goal, _ = _ACTIONS.get(action, (None, None))  # a restart leads nowhere else
    try:
        here = status(api.get(converge.path_of(KIND, name)))
        return here == goal and "already" in words
    except APINotFoundException:
        return action == "stop"


def absent(api, name, force=False):
    """Return the steps to the absence of an instance; a running one is stopped only by ``force``."""
    force = items.truth("force", force or False)
    current = converge.read(api, KIND, name)
    if current is None:
        return []
    current = settled(api, name, current)
    here = status(current)
    if here != "Stopped" and not force:
        raise InvalidError(f"it is {here}; force: True stops and deletes it")
    stop = [] if here == "Stopped" else steps_to(api, name, here, "Stopped", 0, True)
    vanishes = bool(stop) and current.metadata["ephemeral"]

    def act():
        gone = converge.remove(api, KIND, name)
        return None if vanishes else gone

    return stop + [Step("deleted", {"deleted": name}, act)]
