"""
Each fault of the proxy at each kind of request: the result of the state, its duration, the outcome on the daemon, and
that no write was done twice.

A lost reply is not a failure: the object itself shows whether the write was done.
"""

import re
import time

import pytest

from tests.support.daemons import USUAL
from tests.support.loader import Loaded

LIMIT = 1
# The faults by their effect. Nothing reached the daemon, so the request can be sent again:
NOT_DONE = ("close", "reset", "html502", "status", "not_json")
# The daemon did the request, and its reply was lost:
DONE = ("drop_reply", "cut_head", "cut_body", "cut_json")
LATE = ("slow", "delay")
OPTIONS = {"delay": {"seconds": LIMIT + 0.5}}
FAULTS = (*NOT_DONE, *DONE, *LATE, "blackhole", "redirect")

PROFILE = {"description": "x", "config": {"user.a": "1"}}
INSTANCE = {"source": "busybox", "config": {"user.a": "1"}}
STARTED = {"status": {"old": "Stopped", "new": "Running"}}
STOPPED = {"status": {"old": "Running", "new": "Stopped"}, "forced": True}
B_IS_NEW = {"config": {"user.b": {"old": None, "new": "2"}}}
A_IS_GONE = {"config": {"user.a": {"old": "1", "new": None}}}


class Row:
    """
    A request that is broken.

    method, path
        Method and path of the request.
    before
        States, each (function, name, arguments), that create the prerequisites.
    call
        The state that sends the request.
    changes
        The changes of that state.
    """

    def __init__(self, method, path, before, call, changes):
        self.method, self.path, self.before, self.call, self.changes = method, path, before, call, changes

    @property
    def is_read(self):
        """Return whether the request only reads."""
        return self.method == "GET"


WEB = ("lxdapi_profile.present", "web", PROFILE)
C1 = ("lxdapi_instance.present", "c1", INSTANCE)
ROWS = {
    "profile-read": Row("GET", "/profiles/web$", [WEB], WEB, {}),
    "profile-create": Row("POST", "/profiles$", [], WEB, {"created": "web"}),
    "profile-change": Row(
        "PATCH", "/profiles/web$", [WEB], ("lxdapi_profile.present", "web", {"config": {"user.b": "2"}}), B_IS_NEW
    ),
    "profile-remove-key": Row(
        "PUT", "/profiles/web$", [WEB], ("lxdapi_profile.present", "web", {"config": {"user.a": None}}), A_IS_GONE
    ),
    "profile-delete": Row("DELETE", "/profiles/web$", [WEB], ("lxdapi_profile.absent", "web", {}), {"deleted": "web"}),
    "instance-read": Row("GET", "/instances/c1$", [C1], C1, {}),
    "instance-create": Row("POST", "/instances$", [], C1, {"created": "c1"}),
    "instance-change": Row(
        "PATCH", "/instances/c1$", [C1], ("lxdapi_instance.present", "c1", {"config": {"user.b": "2"}}), B_IS_NEW
    ),
    "instance-start": Row("PUT", "/instances/c1/state", [C1], ("lxdapi_instance.running", "c1", {}), STARTED),
    "instance-stop": Row(
        "PUT",
        "/instances/c1/state",
        [("lxdapi_instance.present", "c1", {**INSTANCE, "running": True})],
        ("lxdapi_instance.stopped", "c1", {"timeout": 0, "force": True}),
        STOPPED,
    ),
    "instance-delete": Row("DELETE", "/instances/c1$", [C1], ("lxdapi_instance.absent", "c1", {}), {"deleted": "c1"}),
    "image-upload": Row("POST", "/images$", [], ("lxdapi_image.present", "busybox", {"source": "{image}"}), None),
    "image-delete": Row(
        "DELETE",
        "/images/[0-9a-f]{64}$",
        [("lxdapi_image.present", "busybox", {"source": "{image}"})],
        ("lxdapi_image.absent", "busybox", {}),
        None,
    ),
}


def marks(number, row, fault):
    """
    Return the marks of a pair: each kind of daemon runs an eighth of the table, with some pairs of each row and fault.
    """
    is_slow = fault == "delay" or (fault in (*LATE, "blackhole") and not row.startswith("profile"))
    own = dict(enumerate(USUAL)).get(number % 8)
    return [pytest.mark.long] if is_slow or own is None else [pytest.mark.mainly(own)]


TABLE = [
    pytest.param(row, fault, id=f"{row}-{fault}", marks=marks(number + shift, row, fault))
    for shift, row in enumerate(ROWS)
    for number, fault in enumerate(FAULTS)
]


@pytest.fixture
def state(tmp_path, proxy, image):
    """Call a state through the proxy, with a short time limit for each request."""
    salt = Loaded(tmp_path, {"local": {"endpoint": str(proxy.socket), "timeout": LIMIT}})

    def state(function, name, arguments):
        given = {key: str(image) if value == "{image}" else value for key, value in arguments.items()}
        ret = salt.states[function](name=name, **given)
        assert "Traceback" not in ret["comment"], ret
        return ret

    return state


def is_cured(row, fault):
    """Return whether the state must succeed although the request was broken."""
    return fault in (*NOT_DONE, *DONE) or (fault in LATE and not row.is_read)


@pytest.mark.parametrize("word, fault", TABLE)
def test_each_fault_is_survived_or_reported_without_double_write(request, daemon, proxy, state, word, fault):
    row = ROWS[word]
    if word.startswith("instance"):
        request.getfixturevalue("imported")
    for each in row.before:
        assert state(*each)["result"] is True
    proxy.clear()
    proxy.arm(fault, method=row.method, path=row.path, **OPTIONS.get(fault, {}))
    began = time.monotonic()
    ret = state(*row.call)
    seconds = time.monotonic() - began
    assert [seen.fault for seen in proxy.requests(row.method)].count(fault) == 1
    executed = [seen for seen in proxy.executed(row.method) if re.search(row.path, seen.path)]
    if is_cured(row, fault):
        assert ret["result"] is True, ret
        assert row.changes in (None, ret["changes"])
    else:
        assert (ret["result"], ret["changes"]) == (False, {}), ret
        assert f"({row.method} /1.0/" in ret["comment"]
    assert seconds < LIMIT + 1.5
    if not row.is_read:
        # an idempotent request may be done again, a POST may not
        assert len(executed) == 1 if is_cured(row, fault) else not executed
    again = state(*row.call)
    assert again["result"] is True, again
    assert again["changes"] == {} or not is_cured(row, fault), again
