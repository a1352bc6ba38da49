"""
The keys of minions in instances: created and accepted by the master, or accepted if the instance has the same one.
"""

import pytest

PKI = "/etc/salt/pki/minion"
# The key in the instance, and another one; nobody has their private keys.
KEY = """-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC1XsGKf5YgYIlszdQFxwC8btT4
xZ53VfJBQuJcZWeC0qC6I3iGCwtrL1tbQC9DeCKY66SaPag9GZYFqBfFQmrZD3eM
ACLZl1alkRui2CGdUtvh4giRU1/eDuv5duBRVawrYw0iU3+2rxm0d9zwbia8qLEK
/tKUXHaNMK1Vat9SOQIDAQAB
-----END PUBLIC KEY-----
"""
OTHER = """-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDVwfE8ag6SwRdgnetpkmU1Z1/r
UQXzz9aKeZ19+gnkQ3ZrHPMfGLX2ifp98KfmA2s9TWwRZ+ZA/MCSbtHtDbSy6ZkZ
5WGuRuW3rx2VIfDqjNWGDUkxDO8gODzDZ6MSOIA3G76+kzCt5pOfcmDkgIp68XmM
vIRlOrmsp2Y5/70hOQIDAQAB
-----END PUBLIC KEY-----
"""


@pytest.mark.mainly("lxd")
def test_pending_key_is_accepted_if_the_instance_has_it(master, c1, place, proxy):
    place(c1, KEY.replace("\n", "\\r\\n"))
    master.add("minions_pre", "web1.example.com", KEY)
    before = len(proxy.requests())
    change = {"key": {"old": "pending", "new": "accepted"}}
    asked = {"minion_id": "web1.example.com"}
    assert master.run("accept_key", c1, test=True, **asked)[:2] == (None, change)
    assert list(master.keys()) == ["minions_pre/web1.example.com"]
    assert master.run("accept_key", c1, **asked)[:2] == (True, change)
    assert list(master.keys()) == ["minions/web1.example.com"]
    assert master.run("accept_key", c1, **asked) == (True, {}, "minion c1 is accepted")
    assert {each.method for each in proxy.requests()[before:]} == {"GET"}


@pytest.mark.mainly("incus")
def test_missing_and_other_keys_are_named_and_stay(master, c1, place, proxy):
    assert f"has no {PKI}/minion.pub: has its minion ever been started?" in master.run("accept_key", c1)[2]
    place(c1, KEY)
    assert "the master has no key of the minion c1" in master.run("accept_key", c1)[2]
    reason = "the key of a minion that the master does not know; set force: true to replace it"
    assert reason in master.run("bootstrap", c1)[2]
    for state in ("minions", "minions_pre", "minions_rejected", "minions_denied"):
        master.add(state, c1, OTHER)
        reason = "the key of the minion c1 on the master is not the one in the instance c1"
        reason += f" (salt-key lists it under {state})"
        assert master.run("accept_key", c1) == (False, {}, f"minion c1: {reason}")
        assert master.run("bootstrap", c1) == (False, {}, f"minion c1: {reason}; set force: true to replace it")
        assert master.keys() == {f"{state}/c1": OTHER} and proxy.writes() == []
        (master.pki / state / c1).unlink()


@pytest.mark.mainly("incus7")
def test_key_of_an_instance_without_package_manager_stays(master, c1, inside):
    result, changes, comment = master.run("bootstrap", c1, minion_config={"master": "192.0.2.1"}, timeout=60)
    reason = "exit code 1: the instance has no package manager that lxdapi knows"
    assert (result, comment) == (
        False,
        f"minion c1 could not be installed: the package salt-minion was not installed in instance c1: {reason} "
        "(minion c1 was given a key and configured)",
    )
    assert changes["key"] == {"old": None, "new": "accepted"} and changes["config"]["diff"] == "(hidden)"
    assert set(changes) == {"key", "config"}
    shown = inside(c1, f"stat -c '%a %U' {PKI} {PKI}/minion.pem; cat {PKI}/minion.pub")
    assert shown == "700 root\n400 root\n" + master.keys()["minions/c1"]
    assert inside(c1, f"cat {PKI}/minion_master.pub /etc/salt/minion.d/lxdapi.conf") == (
        "the key of the master\nmaster: 192.0.2.1\nid: c1\n"
    )
    again = master.run("bootstrap", c1, minion_config={"master": "192.0.2.1"}, timeout=60)
    assert again[1] == {} and "no package manager" in again[2]


@pytest.mark.mainly("lxd")
def test_keys_are_replaced_with_force(master, c1, place, inside):
    place(c1, KEY)
    master.add("minions", c1, OTHER)
    master.add("minions_rejected", c1, OTHER)
    expected = {"old": "another", "new": "accepted"}
    assert master.run("bootstrap", c1, force=True, test=True)[1]["key"] == expected
    assert set(master.keys().values()) == {OTHER}
    assert master.run("bootstrap", c1, force=True, timeout=60)[1]["key"] == expected
    assert master.keys() == {"minions/c1": inside(c1, f"cat {PKI}/minion.pub")}


@pytest.mark.mainly("incus")
def test_failed_bootstrap_leaves_no_key(master, c1, proxy, daemon, inside):
    reasons = [
        ({"name": "c2"}, "c2"),
        ({"name": c1, "minion_id": "web*"}, "expected letters, digits, dots, hyphens and underscores for minion_id"),
        ({"name": c1, "minion_config": "master"}, "expected a mapping of settings of the minion for minion_config"),
        (
            {"name": c1, "minion_config": {"a": object()}},
            "expected a mapping of settings of the minion for minion_config",
        ),
        ({"name": c1, "package": "-y"}, "expected the name of a package, or the path of a file for package"),
        ({"name": c1, "timeout": 0}, "expected a number of seconds above 0 for timeout"),
        ({"name": c1, "package": "/srv/none.deb"}, "/srv/none.deb"),
    ]
    for arguments, reason in reasons:
        result, _, comment = master.run("bootstrap", **arguments, test=True)
        assert result is False and reason in comment
    inside(c1, "mkdir -p /etc/salt; touch /etc/salt/pki")
    result, changes, comment = master.run("bootstrap", c1)
    assert (result, changes, master.keys()) == (False, {}, {}) and "/etc/salt/pki" in comment
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True})
    assert "instance c1 is Stopped" in master.run("bootstrap", c1)[2]
    assert proxy.writes() == [] and master.keys() == {}
