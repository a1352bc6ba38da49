"""
Fixtures for functional tests: the real loader, the real daemons, and a proxy that counts every request.
"""

import os
import socket
from contextlib import ExitStack

import pytest

from tests.support import contract
from tests.support import two_daemons as twins
from tests.support.daemons import Daemon
from tests.support.fault_proxy import FaultProxy
from tests.support.images import busybox_image
from tests.support.loader import Loaded


class Applied:
    """A state function behind the proxy: its result, its writes, its prediction."""

    def __init__(self, salt, proxy):
        self.salt, self._proxy = salt, proxy

    def __call__(self, function, name, **arguments):
        """Return the result of the apply."""
        return self.salt.states[function](name=name, **arguments)

    def clear(self):
        """Forget the recorded requests."""
        self._proxy.clear()

    def seen(self):
        """Return the set of the requested paths."""
        return {path.partition("?")[0] for _, path, *_ in self._proxy.seen}

    def predicted(self, function, name, **arguments):
        """Return the result of test mode after a check that it only read."""
        return self._reading(self.salt.predicted[function], name, arguments)

    def unchanged(self, function, name, **arguments):
        """Check that an apply is silent: result True, no changes, only GET requests."""
        ret = self._reading(self.salt.states[function], name, arguments)
        assert (ret["result"], ret["changes"]) == (True, {}), ret
        return ret

    def changed(self, function, name, **arguments):
        """
        Return the changes of an apply. Test mode must predict them exactly, and another run of both must change
        nothing.
        """
        expected = self.predicted(function, name, **arguments)
        assert expected["result"] is None, expected
        ret = self(function, name, **arguments)
        assert ret["result"] is True, ret
        assert ret["changes"] == expected["changes"]
        self.unchanged(function, name, **arguments)
        silent = self.predicted(function, name, **arguments)
        assert (silent["result"], silent["changes"]) == (True, {}), silent
        return ret["changes"]

    def failed(self, function, name, **arguments):
        """Return the comment of an apply that fails without changes and without a traceback."""
        ret = self(function, name, **arguments)
        assert ret["result"] is False, ret
        assert ret["changes"] == {}, ret
        assert "Traceback" not in ret["comment"]
        return ret["comment"]

    def refused(self, function, name, **arguments):
        """Return the comment of a failure that sent no request at all."""
        self._proxy.clear()
        comment = self.failed(function, name, **arguments)
        assert self._proxy.requests() == [], self._proxy.seen
        return comment

    def _reading(self, function, name, arguments):
        self._proxy.clear()
        ret = function(name=name, **arguments)
        assert self._proxy.writes() == [], self._proxy.seen
        return ret


@pytest.fixture(autouse=True)
def contract_kept(request):
    """Check each request that the library sends against the OpenAPI files of the daemons; see contract.py."""
    with contract.recording() as sent:
        yield
    if not request.node.get_closest_marker("off_contract"):
        assert contract.violations(sent) == []


@pytest.fixture
def salt(tmp_path, proxy):
    """Salt's modules and states; their daemon is the tested one behind the proxy."""
    return Loaded(tmp_path, {"local": {"endpoint": str(proxy.socket)}})


@pytest.fixture
def apply(salt, proxy):
    """The states behind the proxy."""
    return Applied(salt, proxy)


@pytest.fixture
def watched():
    """Return the states of a :class:`Loaded` behind a proxy."""
    return Applied


@pytest.fixture
def raw(daemon):
    """Return a function that reads an object past the code under test: its metadata, None for a 404."""

    def read(path):
        status, reply = daemon.request("GET", f"/1.0/{path}")
        assert status in (200, 404), reply
        return reply["metadata"] if status == 200 else None

    return read


@pytest.fixture
def stubborn(apply, daemon, tmp_path):
    """A running container whose init ignores the request to shut down."""
    path = tmp_path / "stubborn.tar.gz"
    busybox_image(path, ignore_sigpwr=True)
    apply("lxdapi_image.present", "stubborn", source=str(path))
    apply("lxdapi_instance.present", "s1", source="stubborn", running=True)
    return "s1"


@pytest.fixture
def c1(daemon, imported):
    """The name of a running container."""
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    return "c1"


@pytest.fixture
def https(daemon):
    """The HTTPS URL of the daemon on loopback; it stops listening afterwards."""
    address = f"127.0.0.1:{free_port()}"
    status, reply = daemon.request("PATCH", "/1.0", {"config": {"core.https_address": address}})
    assert status == 200, reply
    yield f"https://{address}"
    daemon.request("PATCH", "/1.0", {"config": {"core.https_address": ""}})


@pytest.fixture
def listening(https, daemon):
    """The REST source of an image on the same daemon, addressed as another server."""
    certificate = daemon.request("GET", "/1.0")[1]["metadata"]["environment"]["certificate"]
    return {"server": https, "protocol": daemon.server, "mode": "pull", "certificate": certificate}


@pytest.fixture(scope="session")
def second():
    """A second daemon, an Incus 6.0.4, which stops at the end of the session."""
    made = Daemon.in_new_directory("incus")
    try:
        yield made.start().preseed()
    finally:
        made.stop()
        made.remove()


@pytest.fixture
def pair(daemon, second, tmp_path, watched, image):
    """The tested daemon, with an instance, and the second one."""
    with ExitStack() as stack:
        made = twins.Twins(daemon, second, tmp_path, watched, stack)
        made.prepare(image)
        yield made
    second.start().wipe()


@pytest.fixture
def listens():
    """Return a function that makes a daemon listen on loopback; it stops afterwards."""
    heard = []

    def listen(daemon):
        address = f"127.0.0.1:{free_port()}"
        daemon.ask("PATCH", "/1.0", {"config": {"core.https_address": address}})
        heard.append(daemon)
        return address

    yield listen
    for daemon in heard:
        daemon.start().ask("PATCH", "/1.0", {"config": {"core.https_address": ""}})


def free_port():
    """Return a loopback TCP port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pytest_generate_tests(metafunc):
    """Run a test that uses ``cluster`` once for each kind of daemon."""
    if "cluster" in metafunc.fixturenames:
        metafunc.parametrize("cluster", metafunc.config.getoption("--daemon"), indirect=True)


@pytest.hookimpl(tryfirst=True)
@pytest.fixture
def cluster(request, clusters):
    """A cluster of n1 and n2 in its initial state."""
    running = clusters[request.param]
    yield running
    running.wipe()


@pytest.fixture
def clustered(cluster, tmp_path):
    """The states behind a proxy; their daemon is the first member of the cluster."""
    with FaultProxy(cluster.first.socket, os.path.join(cluster.first.directory, "p.socket")) as proxy:
        yield Applied(Loaded(tmp_path, {"local": {"endpoint": str(proxy.socket)}}), proxy)


@pytest.fixture
def inside(daemon):
    """Return a function that runs a shell command in an instance, past the code under test, and returns its output."""

    def run(name, command, project="default"):
        body = {"command": ["/bin/sh", "-c", command], "record-output": True, "wait-for-websocket": False}
        output = daemon.ask("POST", f"/1.0/instances/{name}/exec?project={project}", body)["output"]
        return daemon.request("GET", f"{output['1'].partition('?')[0]}?project={project}")[1].decode()

    return run
