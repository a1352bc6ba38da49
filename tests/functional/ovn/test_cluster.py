"""
OVN networks of a cluster: they exist once, not on each member.
"""

from contextlib import ExitStack

import pytest
from salt.utils.yaml import safe_load

from tests.functional.ovn.conftest import UPLINK_CONFIG
from tests.support.ovn import OvnCluster
from tests.support.started import Started

NETWORK, PEER, FORWARD = "lxdapi_network", "lxdapi_network_peer", "lxdapi_network_forward"


@pytest.fixture(scope="module")
def clusters():
    """Clusters with OVN."""
    with ExitStack() as stack:
        yield Started(stack, OvnCluster, OvnCluster.start)


@pytest.fixture
def networks(clustered, subnet):
    """Two OVN networks on one uplink, which has an interface on each member."""
    common = {key: value for key, value in UPLINK_CONFIG.items() if key != "parent"}
    members = {name: {"parent": UPLINK_CONFIG["parent"]} for name in ("n1", "n2")}
    clustered.changed(f"{NETWORK}.present", "uplink", type="physical", config=common, members=members)
    for number in range(2):
        clustered.changed(f"{NETWORK}.present", f"ovn{number}", type="ovn", config=subnet(number))


@pytest.mark.long
def test_networks_with_peers_and_forwards_of_a_cluster(cluster, clustered, networks):
    for number, other in ((0, 1), (1, 0)):
        declared = {"target_network": f"ovn{other}", "target_project": "default", "config": {"user.a": "1"}}
        clustered.changed(f"{PEER}.present", f"ovn{number}/peer", **declared)
    clustered.changed(f"{FORWARD}.present", "ovn0/198.51.100.6", config={"target_address": "10.70.0.5"})
    clustered.changed(f"{FORWARD}.present", "ovn0/198.51.100.6", description="one")
    peers = cluster["n2"].ask("GET", "/1.0/networks/ovn0/peers?recursion=1")
    assert [(each["status"], each["config"]) for each in peers] == [("Created", {"user.a": "1"})]
    exported = safe_load(clustered.salt.modules["lxdapi.export"]())
    for name, body in exported.items():
        for function, parameters in body.items():
            clustered.unchanged(
                function, **{"name": name, **{key: value for each in parameters for key, value in each.items()}}
            )
    assert list(exported).index("uplink") < list(exported).index("ovn0") < list(exported).index("ovn0/peer")
    clustered.changed(f"{FORWARD}.absent", "ovn0/198.51.100.6")
    for name in ("ovn0/peer", "ovn1/peer"):
        clustered.changed(f"{PEER}.absent", name)
    for name in ("ovn0", "ovn1", "uplink"):
        clustered.changed(f"{NETWORK}.absent", name)
