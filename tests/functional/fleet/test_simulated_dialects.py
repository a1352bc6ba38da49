"""
The newest daemons, simulated: the states have the same results as with Incus, and no request is unknown to them.
"""

import math
import threading

import pytest

from tests.functional.fleet.test_simulated_host import STATES, answer_of
from tests.support import contract, dialects
from tests.support.daemons import until
from tests.support.loader import Loaded
from tests.support.rest import Rest
from tests.support.simulated import Simulated
from tests.support.simulated_host import Times

FINGERPRINT = "b" * 64


@pytest.fixture(params=sorted(dialects.DIALECTS))
def spoken(request):
    """Speak each dialect; the value is what it changed."""
    with dialects.speaking(request.param) as seen:
        seen.name = request.param
        yield seen


@pytest.fixture
def host(tmp_path):
    """Return a function that runs a simulated host until the end of the test."""
    opened = []

    def make(**options):
        opened.append(Simulated(tmp_path / f"{len(opened)}.socket", **{"speed": math.inf, **options}))
        return opened[-1].__enter__()

    yield make
    for each in opened:
        each.__exit__()


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """The answers of the simulated host in its own dialect, Incus 6.0.4."""
    folder = tmp_path_factory.mktemp("usual")
    with Simulated(folder / "s.socket", speed=math.inf) as host:
        return answers(Loaded(folder, {"local": {"endpoint": host.socket}}))


def answers(loaded):
    """Return the results and changes of all states."""
    return [answer_of(loaded, *state, FINGERPRINT) for state in STATES]


def test_newest_daemons_give_the_same_results(host, spoken, usual, tmp_path):
    with contract.recording() as sent:
        assert answers(Loaded(tmp_path, {"local": {"endpoint": host().socket}})) == usual
    assert contract.violations(sent, [spoken.name]) == []
    assert (spoken["named"] > 10 and spoken["started"] > 1) is (spoken.name == "lxd-6.9")


@pytest.mark.parametrize("mode", ["bios", "uefi-nosecureboot", "uefi-secureboot"])
def test_boot_mode_is_compared_as_text(host, mode, tmp_path):
    loaded = Loaded(tmp_path, {"local": {"endpoint": host().socket}})
    declared = {"name": "c1", "source": "busybox", "config": {"boot.mode": mode}}
    with dialects.speaking("lxd-6.9"):
        first, second = (loaded.states["lxdapi_instance.present"](**declared) for _ in range(2))
        unset = loaded.states["lxdapi_instance.present"](name="c1", config={"boot.mode": None})
    assert (first["changes"], second["changes"]) == ({"created": "c1"}, {}), second
    assert unset["changes"] == {"config": {"boot.mode": {"old": mode, "new": None}}}


def test_instance_in_creation_is_awaited_on_newest_daemons(host, spoken, tmp_path):
    made = host(speed=1, times=Times(create=0.7))
    loaded, rest = Loaded(tmp_path, {"local": {"endpoint": made.socket}}), Rest(made.socket)
    body = {"name": "c1", "source": {"type": "image", "alias": "busybox"}}
    creating = threading.Thread(target=rest.ask, args=("POST", "/1.0/instances", body))
    creating.start()
    assert until(lambda: rest.request("GET", "/1.0/instances/c1")[0] == 200, 30)
    ret = loaded.states["lxdapi_instance.present"](name="c1", config={"user.a": "1"})
    creating.join()
    assert (ret["result"], ret["changes"]) == (True, {"config": {"user.a": {"old": None, "new": "1"}}}), ret
    assert rest.ask("GET", "/1.0/instances/c1")["config"]["volatile.apply_template"] == "create"
