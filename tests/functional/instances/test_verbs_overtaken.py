"""
Another client starts, stops, freezes, unfreezes, deletes or renames the instance after a function has read it and
before it acts. The function reaches its goal, or gives the reason why the daemon refuses that now; its changes contain
only what it did, and it leaves no instance stopped that was running.
"""

import pytest
from salt.exceptions import CommandExecutionError

from tests.support.examples import examples
from tests.support.fault_proxy import WRITES
from tests.support.rest import Refused
from tests.support.spread import spread

RUNNING, STOPPED, FROZEN = "Running", "Stopped", "Frozen"
FORCED = {"timeout": 2, "force": True}


class Others:
    """Another client that acts on the instance c1, past the proxy."""

    def __init__(self, daemon, proxy):
        self.daemon, self.proxy, self.left = daemon, proxy, NOBODY

    def status(self, name="c1"):
        """Return the status of the instance, None if it does not exist."""
        status, reply = self.daemon.request("GET", f"/1.0/instances/{name}")
        return reply["metadata"]["status"] if status == 200 else None

    def make(self, status):
        """Create a new instance with this status; the source of images is the only other one."""
        for name in ("c1", "c2", "c3"):
            for where in ("", "?project=p2"):
                self.act("stop", name, where)
                self._try("DELETE", f"/1.0/instances/{name}{where}")
        source = {"type": "image", "alias": "busybox"}
        self.daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": source})
        for action in {STOPPED: (), RUNNING: ("start",), FROZEN: ("start", "freeze")}[status]:
            assert self.act(action)
        assert self.status() == status

    def act(self, action, name="c1", where=""):
        """Return whether an action on the instance was done."""
        body = {"action": action, "timeout": 30, "force": True}
        return self._try("PUT", f"/1.0/instances/{name}/state{where}", body)

    def comes(self, deed, before):
        """Complete the action of the other client before the given write."""

        def act():
            for step in DEEDS[deed]:
                step(self)
            self.left = self.status()

        self.left = NOBODY
        self.proxy.clear()
        self.proxy.arm("overtake", method=WRITES, skip=before, act=act)

    def _try(self, method, path, body=None):
        try:
            self.daemon.ask(method, path, body)
            return True
        except Refused:
            return False

    def delete(self):
        """Delete the instance."""
        self.act("stop")
        self._try("DELETE", "/1.0/instances/c1")

    def rename(self):
        """Rename the instance to c3, and stop it."""
        self.act("stop")
        self._try("POST", "/1.0/instances/c1", {"name": "c3"})


DEEDS = {
    "start": [lambda others: others.act("start")],
    "stop": [lambda others: others.act("stop")],
    "freeze": [lambda others: others.act("freeze")],
    "thaw": [lambda others: others.act("unfreeze")],
    "start and freeze": [lambda others: others.act("start"), lambda others: others.act("freeze")],
    "delete": [Others.delete],
    "rename": [Others.rename],
}


# Actions without an effect on an instance with this status.
IDLE = {
    RUNNING: ("start", "thaw"),
    STOPPED: ("stop", "freeze", "thaw"),
    FROZEN: ("start", "freeze", "start and freeze"),
}
# Without --long: the acts before the first write, by the status; the first of them also comes before the second write.
FEW = {RUNNING: ("stop", "freeze", "delete"), STOPPED: ("start", "delete"), FROZEN: ("thaw", "stop", "delete")}
LONG = examples(1) > 1
NOBODY = "nobody came"
# The functions that ask for a graceful stop, which fails after somebody has frozen the instance.
GRACEFUL = {
    *("moved to a pool", "moved to a project", "present and stopped", "edited and running", "edited", "published"),
    *("stopped gracefully", "restart gracefully"),
}
# The daemon refuses what these functions ask for after the act, so they fail; so may any after an act not in FEW.
REFUSED = {
    *(("absent", "start"), ("exec", "stop"), ("exec", "freeze")),
    *(("renamed, a stopped one", "start"), ("published, a stopped one", "start")),
    *((verb, "freeze") for verb in GRACEFUL),
}


def state(function, **given):
    """Return a state of c1, and its goal."""
    return lambda salt: salt.states[f"lxdapi_{function}"](**{"name": "c1", **given})


def call(function, *given, **more):
    """Return a function of the command line, with its result in the form of a state."""

    def act(salt):
        try:
            changes = salt.modules[f"lxdapi_{function}"](*given, **more)
        except CommandExecutionError as exc:
            return {"result": False, "changes": getattr(exc, "changes", {}), "comment": exc.explain()}
        changes = changes.get("c1", changes) if isinstance(changes, dict) else {}
        failed = isinstance(changes, str)
        return {"result": not failed, "changes": {} if failed else changes, "comment": changes if failed else ""}

    return act


EDIT = {"source": "busybox", "config": {"security.nesting": True}, "restart_on_change": True}
WATCH = {"sfun": "running", **FORCED}
# function: (the status before, the function, the allowed statuses afterwards; None: deleted)
VERBS = {
    "restarted by watch": (RUNNING, state("instance.mod_watch", **WATCH), {RUNNING}),
    "running": (STOPPED, state("instance.running"), {RUNNING}),
    "stopped": (RUNNING, state("instance.stopped", **FORCED), {STOPPED}),
    "absent by force": (RUNNING, state("instance.absent", force=True), {None}),
    "restart": (RUNNING, call("instance.restart", "c1", **FORCED), {RUNNING}),
    "restart gracefully": (RUNNING, call("instance.restart", "c1", timeout=3), {RUNNING}),
    "frozen": (RUNNING, state("instance.frozen"), {FROZEN}),
    "restart of a frozen one": (FROZEN, call("instance.restart", "c1", **FORCED), {RUNNING}),
    "restart of a stopped one": (STOPPED, call("instance.restart", "c1", **FORCED), {RUNNING}),
    "running, of a frozen one": (FROZEN, state("instance.running"), {RUNNING}),
    "stopped at once": (RUNNING, state("instance.stopped", timeout=0, force=True), {STOPPED}),
    "stopped gracefully": (RUNNING, state("instance.stopped", timeout=3), {STOPPED}),
    "stopped, of a frozen one": (FROZEN, state("instance.stopped"), {STOPPED}),
    "frozen, of a stopped one": (STOPPED, state("instance.frozen"), {FROZEN}),
    "unfreeze": (FROZEN, call("instance.unfreeze", "c1"), {RUNNING, STOPPED}),
    "unfreeze of many": (FROZEN, call("fleet.unfreeze", "c1"), None),
    "stop of many": (RUNNING, call("fleet.stop", "c1", **FORCED), None),
    "restart of many": (RUNNING, call("fleet.restart", "c1", **FORCED), None),
    "absent by force, of a stopped one": (STOPPED, state("instance.absent", force=True), {None}),
    "absent": (STOPPED, state("instance.absent"), {None}),
    "present and running": (STOPPED, state("instance.present", source="busybox", running=True), {RUNNING}),
    "present and stopped": (RUNNING, state("instance.present", source="busybox", running=False), {STOPPED}),
    "edited": (RUNNING, state("instance.present", **EDIT), {RUNNING, STOPPED, FROZEN}),
    "edited and running": (RUNNING, state("instance.present", running=True, **EDIT), {RUNNING}),
    "renamed": (RUNNING, call("instance.rename", "c1", "c2", stop=True, **FORCED), None),
    "renamed, a stopped one": (STOPPED, call("instance.rename", "c1", "c2", stop=True), None),
    "published": (RUNNING, state("image.published", name="made", instance="c1", force=True), None),
    "published, a stopped one": (STOPPED, state("image.published", name="made", instance="c1"), None),
    "rebuilt": (RUNNING, call("instance.rebuild", "c1", "busybox", force=True), None),
    "moved to a pool": (RUNNING, call("instance.move", "c1", pool="fast"), {RUNNING, STOPPED, FROZEN}),
    "moved to a project": (RUNNING, call("instance.move", "c1", to_project="p2"), None),
    "snapshot": (RUNNING, state("instance_snapshot.present", name="c1/s1"), {RUNNING, STOPPED, FROZEN}),
    "exec": (RUNNING, call("instance.run_all", "c1", "true", timeout=5), {RUNNING, FROZEN}),
}


@pytest.fixture
def others(daemon, proxy, imported):
    """The other client."""
    daemon.ask("POST", "/1.0/storage-pools", {"name": "fast", "driver": "dir"})
    daemon.ask("POST", "/1.0/projects", {"name": "p2", "config": {"features.images": "false"}})
    root = {"path": "/", "pool": "default", "type": "disk"}
    daemon.ask("PUT", "/1.0/profiles/default?project=p2", {"devices": {"root": root}})
    yield Others(daemon, proxy)


# Variants of other verbs, and verbs that wait 30 seconds for the stop of an instance that somebody has frozen.
VARIANTS = (
    *("rebuilt", "moved to a pool", "present and stopped", "edited and running", "edited", "moved to a project"),
    "published",
    *("restart gracefully", "stopped at once", "stopped gracefully"),
    *("renamed, a stopped one", "published, a stopped one", "unfreeze of many", "stop of many", "restart of many"),
)
LATER = [pytest.param(verb, marks=pytest.mark.long) for verb in VARIANTS]


@pytest.mark.parametrize("verb", [*spread(*(verb for verb in VERBS if verb not in VARIANTS)), *LATER])
def test_overtaken_verb_reaches_its_goal_or_fails_clearly(others, salt, daemon, verb):
    before, act, _ = VERBS[verb]
    if verb == "rebuilt" and daemon.server == "lxd":
        return  # the API extension is missing
    wrong = []
    few = [(deed, range(2 if deed == FEW[before][0] else 1)) for deed in FEW[before]]
    cases = [(deed, range(4)) for deed in DEEDS] if LONG else few
    for deed, counts in cases:
        for count in counts:
            if count == 0 and deed in IDLE[before]:
                continue
            others.make(before)
            others.comes(deed, count)
            ret = act(salt)
            if others.left == NOBODY:
                break
            wrong += [f"{deed}, before write {count + 1}: {each}; {ret}" for each in faults(others, ret, deed, verb)]
    assert wrong == [], "\n".join(wrong)


def faults(others, ret, deed, verb):
    """Yield messages about wrong results of a function and of the instance."""
    before, _, goals = VERBS[verb]
    end = others.status("c2") or others.status() or others.status("c1?project=p2")
    status_change = ret["changes"].get("status") or {}
    if "Traceback" in ret["comment"]:
        yield "a traceback"
    if ret["result"] is False and " (" not in ret["comment"]:
        yield "the words lack what failed"
    if deed in ("delete", "rename"):
        return
    if ret["result"] is False and deed in FEW[before] and (verb, deed) not in REFUSED:
        yield "it failed, although its goal could be reached"
    if ret["result"] is not False and goals and end not in (*goals, others.left):
        yield f"it is {end} in the end"
    if status_change and "deleted" not in ret["changes"] and end not in (status_change["new"], others.left):
        yield f"it is {end} in the end, and not as its changes say"
    if end == STOPPED and STOPPED not in (others.left, status_change.get("new"), before) and goals != {STOPPED}:
        yield "it was left stopped without a word"
