"""
Forwards of a bridge in a cluster: each member has a bridge of its own, and so forwards of its own.
"""

from contextlib import ExitStack

import pytest
from salt.utils.yaml import safe_load

from tests.support.namespaces import HostCluster
from tests.support.started import Started

FORWARD = "lxdapi_network_forward"
NAME = "lxdapi9/198.51.100.1"
PORT = {"protocol": "tcp", "listen_port": "80", "target_address": "10.77.9.5"}


@pytest.fixture(scope="module")
def clusters():
    """Clusters whose members can have bridges."""
    with ExitStack() as stack:
        yield Started(stack, HostCluster, HostCluster.start)


@pytest.fixture
def places(cluster):
    """Return a function that reads the descriptions of the forwards by their members, past the code under test."""

    def read():
        listed = cluster["n2"].ask("GET", "/1.0/networks/lxdapi9/forwards?recursion=1")
        return {each["location"]: each["description"] for each in listed}

    return read


@pytest.fixture
def bridge(clustered):
    """A network with a bridge on each member."""
    config = {"ipv4.address": "10.77.9.1/24", "ipv6.address": "none"}
    clustered.changed("lxdapi_network.present", "lxdapi9", config=config)


@pytest.mark.mainly("incus")
def test_forwards_are_on_the_named_members(bridge, clustered, places):
    changes = clustered.changed(f"{FORWARD}.present", NAME, ports=[PORT], target="n2")
    assert (changes, places()) == ({"created": NAME}, {"n2": ""})
    clustered.unchanged(f"{FORWARD}.present", NAME, ports=[PORT])
    clustered.changed(f"{FORWARD}.present", NAME, description="two")
    clustered.changed(f"{FORWARD}.present", NAME, description="one", target="n1")
    assert places() == {"n1": "one", "n2": "two"}
    assert "found on more than one cluster member" in clustered.failed(f"{FORWARD}.present", NAME)
    exported = safe_load(clustered.salt.modules["lxdapi.export"]("network_forward"))
    parts = [
        {key: value for part in body[f"{FORWARD}.present"] for key, value in part.items()} for body in exported.values()
    ]
    assert [(each["target"], each["description"]) for each in parts] == [("n1", "one"), ("n2", "two")]
    for each in parts:
        clustered.unchanged(f"{FORWARD}.present", **{"name": NAME, **each})
    assert clustered.changed(f"{FORWARD}.absent", NAME, target="n1") == {"deleted": NAME}
    assert places() == {"n2": "two"}
    clustered(f"{FORWARD}.present", NAME, target="n1")
    assert clustered.changed(f"{FORWARD}.purged", "lxdapi9", keep=[]) == {NAME: {"deleted": NAME}}
    assert places() == {}
