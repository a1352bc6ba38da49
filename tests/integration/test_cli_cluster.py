"""
The CLI Examples about clusters, run in the order of a cluster's life with two servers that begin without a cluster.
"""

import pytest
import salt.client
import salt.config
import salt.payload

from tests.support.cli_examples import examples, public_functions
from tests.support.cluster import Cluster
from tests.support.salt_commands import REPO, Salt, this_environment

SHOWN = {
    words[0]: words
    for docstring in public_functions("_modules").values()
    for words in examples(docstring)
    # its move to a pool and a project needs no cluster and is in test_cli_examples.py
    if words[0].startswith("lxdapi_cluster.") or words[:3] == ["lxdapi_instance.move", "web1", "n2"]
}
WEB1 = {"name": "web1", "source": {"type": "none"}}


def pytest_generate_tests(metafunc):
    """Run the test once for each kind of daemon."""
    metafunc.parametrize("servers", metafunc.config.getoption("--daemon"), indirect=True)


@pytest.fixture
def servers(request):
    """Two daemons, n1 and n2, without a cluster."""
    made = Cluster(request.param, 2)
    try:
        made.apart().first.preseed()
        yield made
    finally:
        made.stop()
        made.remove()


@pytest.fixture
def run(servers, roots, tmp_path):
    """Run the example of a function on a server, with the values that are unknown in advance."""
    callers = {}
    for name in ("n1", "n2"):
        local = {"remotes": {"local": {"endpoint": servers[name].socket}}}
        Salt(this_environment(), tmp_path / name, roots, lxdapi=local, module_dirs=[str(REPO)])
        callers[name] = salt.client.Caller(mopts=salt.config.minion_config(str(tmp_path / name / "minion")))
    there = {f"192.0.2.{name[1:]}:8443": address for name, address in servers.addresses.items()}

    def call(function, on="n1", **known):
        words = " ".join(SHOWN[function])
        for shown, here in {**there, **known}.items():
            words = words.replace(shown, str(here))
        return callers[on].function(*words.split())

    return call


def member(name):
    """Return the changes for a new member."""
    return {"member": {"old": None, "new": name}}


def status(old, new):
    """Return the changes for the status of a member."""
    return {"status": {"old": old, "new": new}}


def test_cluster_examples_do_what_they_show(servers, run):
    life = {
        "lxdapi_cluster.enable": lambda said: said.items() >= member("n1").items(),
        "lxdapi_cluster.join_token": lambda said: len(said) > 100,
        "lxdapi_cluster.tokens": lambda said: list(said) == ["n2"],
        "lxdapi_cluster.revoke": lambda said: said == {"revoked": "n2"},
        "lxdapi_cluster.join": lambda said: said == member("n2"),
        "lxdapi_cluster.members": lambda said: list(said) == ["n1", "n2"],
        "lxdapi_instance.move": lambda said: said == {"location": {"old": "n1", "new": "n2"}},
        "lxdapi_cluster.evacuate": lambda said: said == status("Online", "Evacuated"),
        "lxdapi_cluster.restore": lambda said: said == status("Evacuated", "Online"),
        "lxdapi_cluster.remove": lambda said: said == {"deleted": "n2"},
    }
    assert set(life) == set(SHOWN)
    for function, is_as_shown in life.items():
        joins = function == "lxdapi_cluster.join"
        if function == "lxdapi_instance.move":
            servers.first.ask("POST", "/1.0/instances?target=n1", WEB1)
        if function == "lxdapi_cluster.remove":
            servers.first.ask("DELETE", "/1.0/instances/web1")
        token = run("lxdapi_cluster.join_token") if joins else None
        said = run(function, on="n2" if joins else "n1", **{"$TOKEN": token})
        assert is_as_shown(said), (function, said)
        assert salt.payload.loads(salt.payload.dumps(said)) == said
