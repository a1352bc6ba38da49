"""
Fixtures for the tests with OVN: the daemons of this folder have it.
"""

from contextlib import ExitStack

import pytest

from tests.support.ovn import UPLINK, OvnDaemon
from tests.support.started import Started

UPLINK_CONFIG = {
    "parent": UPLINK,
    "ipv4.gateway": "10.60.0.1/24",
    "ipv4.ovn.ranges": "10.60.0.50-10.60.0.150",
    "ipv4.routes": "198.51.100.0/24",
    "ipv6.gateway": "fd60::1/64",
    "ipv6.ovn.ranges": "fd60::100-fd60::200",
    "ipv6.routes": "2001:db8:1::/64",
}


@pytest.fixture(scope="session")
def ovn_daemons():
    """The daemons with OVN of this session, by kind. They stop at the end of the session."""
    with ExitStack() as stack:
        yield Started(stack, OvnDaemon.in_new_directory, lambda made: made.start().preseed())


@pytest.fixture
def daemon(request, ovn_daemons):
    """A running daemon with OVN, without networks."""
    running = ovn_daemons[request.param]
    yield running
    running.start().wipe()


@pytest.fixture
def subnet():
    """Return a function for the config of an OVN network, by its number."""
    return lambda number: {
        "network": "uplink",
        "ipv4.address": f"10.7{number}.0.1/24",
        "ipv4.nat": "true",
        "ipv6.address": f"fd7{number}::1/64",
        "ipv6.nat": "true",
    }


@pytest.fixture
def networks(daemon, subnet):
    """Two OVN networks, ovn0 and ovn1, on one uplink."""
    daemon.ask("POST", "/1.0/networks", {"name": "uplink", "type": "physical", "config": UPLINK_CONFIG})
    for number in range(2):
        body = {"name": f"ovn{number}", "type": "ovn", "config": subnet(number)}
        daemon.ask("POST", "/1.0/networks", body)
    return "ovn0", "ovn1"
