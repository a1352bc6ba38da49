"""
The status table and the graph of a host: both agree with the daemon, and change nothing.
"""

import stat
from pathlib import Path

import msgpack
import pytest
import yaml
from lxdapi import masking
from salt.exceptions import SaltException

NONE = {"type": "none"}
SECRET = "cAnaRy-1"


def bare(daemon, name, query="", **more):
    daemon.ask("POST", f"/1.0/instances{query}", {"name": name, "source": NONE, **more})


def rows(found):
    return {row["name"]: row for row in found["instances"]}


def paths(proxy):
    return [(seen.method, seen.path.partition("?")[0]) for seen in proxy.seen]


def test_status_matches_the_daemon(salt, daemon, proxy, c1, raw):
    bare(daemon, "web10")
    bare(daemon, "web2")
    daemon.ask("POST", "/1.0/instances/web2/snapshots", {"name": "before"})
    proxy.clear()
    found = salt.modules["lxdapi.status"]()
    assert len(proxy.requests("GET")) == len(proxy.seen) <= 2
    assert [path for _, path in paths(proxy)].count("/1.0/instances") == 1
    assert msgpack.loads(msgpack.dumps(found)) == found
    server = daemon.ask("GET", "/1.0")["environment"]
    assert (found["server"]["version"], found["server"]["server"]) == (server["server_version"], server["server"])
    assert [row["name"] for row in found["instances"]] == ["c1", "web2", "web10"]
    for name, row in rows(found).items():
        said = raw(f"instances/{name}")
        assert {key: row[key] for key in ("status", "type", "created_at")} == {
            key: said[key] for key in ("status", "type", "created_at")
        }
    assert {name: row["snapshots"] for name, row in rows(found).items()} == {"c1": 0, "web2": 1, "web10": 0}
    # Incus 7.0.2 reports 0 on the machine of the tests
    assert bool(rows(found)["c1"]["memory"]) is bool(raw("instances/c1/state")["memory"]["usage"])
    assert rows(found)["web2"]["memory"] is None
    assert 0 <= rows(found)["c1"]["age"] < 600


def test_nic_address_is_shown(salt, daemon, c1):
    daemon.ask("POST", "/1.0/networks", {"name": "seebr", "config": {"ipv4.address": "none", "ipv6.address": "none"}})
    nic = {"type": "nic", "network": "seebr", "name": "eth0"}
    daemon.ask("PATCH", "/1.0/instances/c1", {"devices": {"eth0": nic}})
    command = ["sh", "-c", "ip link set eth0 up; ip addr add 192.0.2.7/24 dev eth0"]
    daemon.ask("POST", "/1.0/instances/c1/exec", {"command": command, "wait-for-websocket": False})
    (row,) = salt.modules["lxdapi.status"]()["instances"]
    assert row["addresses"] == ["192.0.2.7"]


def test_status_filters_by_pattern_and_project(salt, daemon, proxy):
    daemon.ask("POST", "/1.0/projects", {"name": "team", "config": {"features.profiles": "false"}})
    bare(daemon, "web1")
    bare(daemon, "db1")
    bare(daemon, "web2", "?project=team")
    status = salt.modules["lxdapi.status"]
    assert list(rows(status("web*", state=False))) == ["web1"]
    assert "recursion=1" in [seen.path for seen in proxy.seen if "/instances" in seen.path][-1]
    assert list(rows(status(project="team"))) == ["web2"]
    everywhere = {(row["project"], row["name"]) for row in status(all_projects=True)["instances"]}
    assert everywhere == {("default", "web1"), ("default", "db1"), ("team", "web2")}
    with pytest.raises(SaltException, match="project 'nope' does not exist"):
        status(project="nope")
    with pytest.raises(SaltException, match="'nope'"):
        status(remote="nope")


def sls(salt, name, states):
    (Path(salt.tree) / f"{name}.sls").write_text(yaml.safe_dump(states))


def declared(**more):
    return {"lxdapi_instance.present": [{"source": NONE}, *({key: value} for key, value in more.items())]}


def test_drift_reports_foreign_edit_and_only_reads(salt, daemon, proxy):
    password = {"user.password": SECRET}
    sls(salt, "host", {"web1": declared(config={"limits.cpu": 2, **password}), "new1": declared()})
    sls(salt, "more", {"web2": declared(), "old1": {"lxdapi_instance.absent": []}})
    salt.modules["state.apply"]("host,more")
    bare(daemon, "old1")
    bare(daemon, "foreign")
    daemon.ask("PATCH", "/1.0/instances/web1", {"config": {"limits.cpu": "1", "user.password": "cAnaRy-2"}})
    daemon.ask("DELETE", "/1.0/instances/new1")
    proxy.clear()
    found = salt.modules["lxdapi.status"](sls=["host", "more"])
    assert proxy.writes() == []
    assert {name: row["drift"] for name, row in rows(found).items()} == {
        "foreign": "not declared",
        "new1": "would be created",
        "old1": "would be deleted",
        "web1": "would change: config limits.cpu, config user.password",
        "web2": "as declared",
    }
    assert rows(found)["new1"]["status"] == "Missing"
    assert "cAnaRy" not in str(found) and masking.MASK not in str(found)
    assert list(rows(salt.modules["lxdapi.status"]("web*", sls="host,more"))) == ["web1", "web2"]


@pytest.mark.mainly("incus")
def test_drift_reports_each_instance_of_a_fleet(salt, daemon, proxy):
    instances = [{"instances": {"web[1-3]": None}}, {"defaults": {"source": NONE}}]
    sls(salt, "fleet", {"shop": {"lxdapi_fleet.managed": instances}})
    salt.modules["state.apply"]("fleet")
    daemon.ask("PATCH", "/1.0/instances/web2", {"config": {"limits.cpu": "1"}, "description": "edited"})
    daemon.ask("DELETE", "/1.0/instances/web3")
    sls(
        salt,
        "fleet",
        {"shop": {"lxdapi_fleet.managed": [*instances[:1], {"defaults": {"source": NONE, "description": "x"}}]}},
    )
    proxy.clear()
    found = salt.modules["lxdapi.status"](sls="fleet")
    assert proxy.writes() == []
    assert {name: row["drift"] for name, row in rows(found).items()} == {
        **{"web1": "would change: description", "web2": "would change: description", "web3": "would be created"}
    }


@pytest.mark.mainly("incus")
def test_missing_or_broken_sls_is_an_error(salt, daemon):
    (Path(salt.tree) / "broken.sls").write_text("a: {{ nope(")
    for name, words in (("nope", "nope"), ("broken", "broken")):
        with pytest.raises(SaltException, match=rf"sls: .*{words}"):
            salt.modules["lxdapi.status"](sls=name)
    with pytest.raises(SaltException, match="expected text or a list of text for sls"):
        salt.modules["lxdapi.status"](sls=7)


def test_graph_reads_one_list_of_each_kind(salt, daemon, proxy, c1, tmp_path):
    root = {"type": "disk", "pool": "default", "path": "/"}
    daemon.ask("POST", "/1.0/profiles", {"name": "web", "devices": {"root": root}})
    bare(daemon, "web1", profiles=["default", "web"])
    proxy.clear()
    text = salt.modules["lxdapi.graph"]("dot")
    assert len(proxy.requests("GET")) == len(proxy.seen) <= 5
    for name in ("c1", "web1", "web", "default"):
        assert f'"{name}' in text
    path = tmp_path / "host.dot"
    assert salt.modules["lxdapi.graph"]("dot", path=str(path)) == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == text
    assert text.count('"web1\\ncontainer, Stopped"') == 1
    assert '"default\\ndir pool"' in text
    assert salt.modules["lxdapi.graph"]().startswith("flowchart LR\n")
    with pytest.raises(SaltException, match="nope"):
        salt.modules["lxdapi.graph"](project="nope")


def test_location_of_instance_is_shown_in_a_cluster(clustered, cluster):
    bare(cluster.first, "web1", "?target=n2")
    functions = clustered.salt.modules
    (row,) = functions["lxdapi.status"]()["instances"]
    assert row["location"] == "n2"
    text = functions["lxdapi.graph"]("mermaid")
    assert "n1<br/>" in text and "n2<br/>" in text and "Online" in text
