"""
The simulated host: its times, its failures, its counts.
"""

import math
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.rest import Refused, Rest
from tests.support.simulated import Simulated
from tests.support.simulated_host import Times

BUSYBOX = {"type": "image", "alias": "busybox"}
STOP = {"action": "stop", "force": True}


@pytest.fixture
def host(tmp_path):
    """Run a simulated host for the test; return it and a client."""
    opened = []

    def make(**options):
        opened.append(Simulated(tmp_path / "s.socket", **{"speed": math.inf, **options}))
        return opened[0].__enter__(), Rest(opened[0].socket)

    yield make
    for each in opened:
        each.__exit__()


def seconds(act):
    """Return the duration of a call."""
    began = time.monotonic()
    act()
    return time.monotonic() - began


def at_once(act, names):
    """Call the function for all names at the same time."""
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(act, names))


def test_simulated_stops_overlap_and_computation_queues(host):
    _, rest = host(instances=8, speed=1, times=Times(stop=0.5, delete=0.1))
    names = [f"i{number}" for number in range(8)]
    stopping = seconds(lambda: at_once(lambda name: rest.ask("PUT", f"/1.0/instances/{name}/state", STOP), names))
    assert 0.5 <= stopping < 8 * 0.5 / 2
    # eight of 0.1 s on two cores
    assert seconds(lambda: at_once(lambda name: rest.ask("DELETE", f"/1.0/instances/{name}"), names)) >= 0.4


def test_simulated_listing_time_grows_with_instances(host):
    _, rest = host(instances=20, speed=2, times=Times(listed=0.02))
    assert seconds(lambda: rest.ask("GET", "/1.0/instances?recursion=1")) >= 20 * 0.02 / 2


def test_simulated_requests_are_counted(host):
    made, rest = host(instances=1)
    rest.ask("GET", "/1.0")
    rest.ask("PATCH", "/1.0/instances/i0", {"config": {"user.a": "1"}})
    assert made.counts.figures() == {"requests": 2, "writes": 1, "connections": 2, "at_once": 1}


def test_stale_etag_is_refused(host):
    _, rest = host(instances=1)
    status, reply = rest.request("PATCH", "/1.0/instances/i0", {"config": {}}, {"If-Match": "stale"})
    assert (status, reply["error_code"]) == (412, 412)


@pytest.mark.parametrize(
    "method, path, body, words",
    [
        ("GET", "/1.0/instances/none", None, "HTTP 404"),
        ("DELETE", "/1.0/instances/i0", None, "HTTP 400: Instance is running"),
        ("PUT", "/1.0/instances/i0/state", {"action": "start"}, "The instance is already running"),
        ("POST", "/1.0/instances", {"name": "i0", "source": BUSYBOX}, "UNIQUE constraint failed"),
        ("POST", "/1.0/instances", {"name": "x", "source": {**BUSYBOX, "alias": "none"}}, "Image not provided"),
        ("GET", "/1.0/cluster", None, "HTTP 501: not simulated"),
        ("GET", "/1.0/instances?filter=status+eq+Running", None, "HTTP 501: not simulated"),
    ],
)
def test_invalid_and_unsimulated_requests_are_refused(host, method, path, body, words):
    _, rest = host(instances=1)
    with pytest.raises(Refused, match=words):
        rest.ask(method, path, body)
