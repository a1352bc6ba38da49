"""
A host with OVN is exported; one apply of the export makes it again.
"""

import pytest
from salt.utils.yaml import safe_load

ALLOW = {"action": "allow", "state": "enabled"}
# Names that sort before the names of what they need.
ACLS = {
    "aa": [{**ALLOW, "source": "mm,zz"}],
    "mm": [{**ALLOW, "source": "aa,mm"}],
    "web": [{**ALLOW, "source": "@ovn0/to-ovn1,@internal,zz"}],
    "zz": [],
}
CHANGING = ("used_by", "status")


@pytest.fixture
def host(daemon, networks):
    """A host with everything that needs OVN, made by raw requests."""
    for number, other in ((0, 1), (1, 0)):
        peer = {"name": f"to-ovn{other}", "target_network": f"ovn{other}", "target_project": "default"}
        daemon.ask("POST", f"/1.0/networks/ovn{number}/peers", peer)
    for name in ACLS:
        daemon.ask("POST", "/1.0/network-acls", {"name": name})
    for name, rules in ACLS.items():
        daemon.ask("PUT", f"/1.0/network-acls/{name}", {"ingress": rules})
    for name, acl in (("ovn0", "web"), ("ovn1", "aa")):
        daemon.ask("PATCH", f"/1.0/networks/{name}", {"config": {"security.acls": acl}})
    daemon.ask("POST", "/1.0/networks/ovn0/forwards", {"listen_address": "198.51.100.6", "config": {"user.a": "1"}})
    extensions = daemon.ask("GET", "/1.0")["api_extensions"]
    if "network_load_balancer" in extensions:
        daemon.ask("POST", "/1.0/networks/ovn0/load-balancers", {"listen_address": "198.51.100.5"})
    if "projects_limits_disk_pool" in extensions:
        daemon.ask("POST", "/1.0/storage-pools", {"name": "fast", "driver": "dir"})
        daemon.ask("POST", "/1.0/projects", {"name": "team", "config": {"limits.disk.pool.fast": "1GiB"}})
    return daemon


@pytest.fixture
def applied(salt):
    """Apply the text of an SLS file and return the results that are not as declared, by state ID."""

    def apply(text):
        (salt.tree / "adopted.sls").write_text(text, encoding="utf-8")
        answers = salt.modules["state.apply"]("adopted")
        assert isinstance(answers, dict), answers
        return {each["__id__"]: (each["result"], each["changes"], each["comment"]) for each in answers.values()}

    return apply


def content(daemon):
    """Return the objects of the host, without what depends on the time of their creation."""
    found = {path: daemon.ask("GET", f"/1.0/{path}?recursion=1") for path in ("networks", "network-acls", "projects")}
    for name in ("ovn0", "ovn1"):
        found.update(
            {
                f"{name}/{part}": daemon.ask("GET", f"/1.0/networks/{name}/{part}?recursion=1")
                for part in ("peers", "forwards")
            }
        )
    return {path: sorted(map(lasting, listed), key=lambda each: each["name"]) for path, listed in found.items()}


def lasting(entry):
    """Return an object without what depends on the time of its creation."""
    config = {key: value for key, value in entry["config"].items() if not key.startswith("volatile.")}
    return {"name": entry.get("listen_address"), **entry, "config": config, **dict.fromkeys(CHANGING)}


def test_one_apply_of_an_export_creates_a_host_with_ovn(applied, host, salt):
    text, before = salt.modules["lxdapi.export"](), content(host)
    unchanged = applied(text)
    assert {name: each for name, each in unchanged.items() if each[:2] != (True, {})} == {}
    assert set(unchanged) == set(safe_load(text))
    host.wipe()
    failed = {name: each for name, each in applied(text).items() if each[0] is not True}
    assert failed == {}
    assert content(host) == before
    assert {name: each for name, each in applied(text).items() if each[:2] != (True, {})} == {}
