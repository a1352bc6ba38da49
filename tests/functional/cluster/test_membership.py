"""
Servers that create a cluster, join one and leave it: two daemons that begin without a cluster.
"""

import base64
import json

import pytest

from tests.support.cluster import Cluster
from tests.support.fault_proxy import FaultProxy
from tests.support.loader import Loaded

CLUSTER = "lxdapi_cluster"
REFUSED = "No matching cluster join operation found"


@pytest.fixture
def pair(request, tmp_path, watched):
    """Two daemons without a cluster, with a proxy in front of each; all of them stop at the end."""
    made = Cluster(request.param, 2)
    try:
        made.apart()
        made.first.preseed()
        proxies = {name: FaultProxy(made[name].socket, made[name].directory / "p.socket") for name in ("n1", "n2")}
        with proxies["n1"], proxies["n2"]:
            yield Pair(made, proxies, tmp_path, watched)
    finally:
        made.stop()
        made.remove()


def pytest_generate_tests(metafunc):
    """Run a test that uses ``pair`` once for each kind of daemon."""
    if "pair" in metafunc.fixturenames:
        metafunc.parametrize("pair", metafunc.config.getoption("--daemon"), indirect=True)


class Pair:
    """The states and modules; their daemon is n1 or n2."""

    def __init__(self, made, proxies, folder, watched):
        self.made, self.proxies, self.folder = made, proxies, folder
        self.salts = {name: Loaded(folder / name, {"local": self.remote(name)}) for name in proxies}
        self.states = {name: watched(self.salts[name], proxies[name]) for name in proxies}

    def remote(self, name):
        """The settings of a remote that prints its requests, and has a project, which does not apply to clusters."""
        return {"endpoint": str(self.proxies[name].socket), "debug": True, "project": "p"}

    def call(self, name, function, *arguments, **more):
        """Return the result of a module function."""
        return self.salts[name].modules[f"{CLUSTER}.{function}"](*arguments, **more)

    def writes(self, name):
        """Return the writes to a daemon since the last call."""
        found = self.proxies[name].writes()
        self.proxies[name].clear()
        return found


def altered(token, **fields):
    """Return the token with other contents."""
    return base64.b64encode(json.dumps({**json.loads(base64.b64decode(token)), **fields}).encode()).decode()


def without_secrets(capsys, *tokens):
    """Check that neither a token nor its secret was printed; return the output."""
    said = capsys.readouterr()
    for token in tokens:
        for secret in (token, json.loads(base64.b64decode(token))["secret"]):
            assert secret not in said.out + said.err
    return said.err


def test_cluster_is_enabled_joined_and_left(pair, capsys):
    addresses, (one, two) = pair.made.addresses, pair.states.values()
    (pair.folder / "pool").mkdir()
    config = {"cluster.https_address": {"old": None, "new": addresses["n1"]}}
    member = {"old": None, "new": "n1"}
    ret = one.predicted(f"{CLUSTER}.enabled", "n1", address=addresses["n1"])
    assert (
        ret["comment"]
        == "server n1 would be updated (config cluster.https_address) and made the first member of a cluster"
    )
    changes = one.changed(f"{CLUSTER}.enabled", "n1", address=addresses["n1"])
    assert changes == {"config": config, "member": member}
    one.unchanged(f"{CLUSTER}.enabled", "n1")
    assert pair.made.joined() == ["n1"]
    assert "with the name n1" in one.failed(f"{CLUSTER}.enabled", "n7")
    assert "cannot be changed to 127.0.0.1:1" in one.failed(f"{CLUSTER}.enabled", "n1", address="127.0.0.1:1")

    token = pair.call("n1", "join_token", "n2")
    assert list(pair.call("n1", "tokens")) == ["n2"]
    own = {"storage_pool": {"default": {"source": str(pair.folder / "pool")}}}
    declared = {"token": token, "address": addresses["n2"], "member_config": own}
    assert two.changed(f"{CLUSTER}.joined", "n2", **declared) == {"member": {"old": None, "new": "n2"}}
    two.unchanged(f"{CLUSTER}.joined", "n2")
    two.unchanged(f"{CLUSTER}.enabled", "n2")
    assert "with the name n2" in two.failed(f"{CLUSTER}.joined", "n3", token=token)
    pool = pair.made["n2"].ask("GET", "/1.0/storage-pools/default?target=n2")
    assert pool["config"]["source"] == own["storage_pool"]["default"]["source"]
    assert pair.call("n1", "tokens") == {}
    found = pair.call("n2", "members")
    assert {name: each["status"] for name, each in found.items()} == {"n1": "Online", "n2": "Online"}
    assert "database-leader" in found["n1"]["roles"] and found["n2"]["message"] == "Fully operational"

    for name in ("n1", "n2"):
        comment = pair.states[name].failed("lxdapi_cluster_member.absent", name)
        assert "lxdapi is connected to this member: use a remote of another member" in comment
    assert pair.call("n1", "remove", "n2") == {"deleted": "n2"}
    assert pair.call("n1", "remove", "n2") == {} and pair.made.joined() == ["n1"]
    assert "PUT http+unix" in without_secrets(capsys, token)


def test_join_token_is_single_use_name_bound_and_masked(pair, capsys):
    addresses, (one, two) = pair.made.addresses, pair.states.values()
    one(f"{CLUSTER}.enabled", "n1", address=addresses["n1"])
    token = pair.call("n1", "join_token", "n2")
    assert "joining a cluster requires a token" in two.failed(f"{CLUSTER}.joined", "n2", address=addresses["n2"])
    for broken in ("x", "e30=", token[:-9], altered(token, addresses=[]), 5):
        comment = two.failed(f"{CLUSTER}.joined", "n2", token=broken, address=addresses["n2"])
        assert "invalid token: paste the complete join token of the cluster" in comment
    comment = two.failed(f"{CLUSTER}.joined", "n7", token=token, address=addresses["n2"])
    assert "token: expected one for n7, got one for n2" in comment
    two.clear()
    comment = two.failed(f"{CLUSTER}.joined", "n2", token=altered(token, fingerprint="0" * 64), address=addresses["n2"])
    assert "but the token names another one; lxdapi sent nothing" in comment
    nobody = altered(token, addresses=["127.0.0.1:9"])
    comment = two.failed(f"{CLUSTER}.joined", "n2", token=nobody, address=addresses["n2"])
    assert "no member of the cluster answers: 127.0.0.1:9 (" in comment and "refused" in comment
    assert pair.writes("n2") == []

    assert pair.call("n1", "revoke", "n2") == {"revoked": "n2"} and pair.call("n1", "revoke", "n2") == {}
    wrong = altered(token, secret="5" * 64)
    for useless in (token, wrong):
        comment = two.failed(f"{CLUSTER}.joined", "n2", token=useless, address=addresses["n2"])
        assert REFUSED in comment and "PUT /1.0/cluster" in comment
    assert pair.made["n2"].ask("GET", "/1.0")["environment"]["server_clustered"] is False
    good = altered(pair.call("n1", "join_token", "n2"), addresses=["127.0.0.1:9", addresses["n1"]])
    assert pair.call("n2", "join", "n2", good, addresses["n2"]) == {"member": {"old": None, "new": "n2"}}
    assert pair.call("n2", "join", "n2", good, addresses["n2"]) == {}
    without_secrets(capsys, token, wrong, good)


@pytest.mark.parametrize(
    "own", [5, ["x"], {"volume": {}}, {"network": 5}, {"network": {"mv0": 5}}, {"storage_pool": {"default": ["x"]}}]
)
def test_invalid_member_config_is_refused_before_any_request(apply, own):
    comment = apply.refused(f"{CLUSTER}.joined", "n2", member_config=own)
    assert "member_config: expected a mapping of network and storage_pool to names" in comment


def test_cluster_needs_a_server_with_an_address(apply, daemon):
    assert "https_address" in apply.failed(f"{CLUSTER}.enabled", "n1")
    assert daemon.ask("GET", "/1.0")["environment"]["server_clustered"] is False
