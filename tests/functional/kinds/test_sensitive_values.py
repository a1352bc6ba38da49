"""
Values that an SLS marks as sensitive, on real daemons: written and compared like others, visible nowhere.
"""

import re

import pytest
from lxdapi import masking

CANARY, OTHER = "cAnaRy-5b1f", "cAnaRy-0d2e"
HIDDEN = {"old": "(hidden)", "new": "(hidden)"}
KEYS = ["user.db_*", "nic0.user.note"]


def declared(value):
    """Return the parameters of a profile with this value in all marked keys."""
    nic = {"type": "nic", "nictype": "p2p", "user.note": value, "user.shown": "seen"}
    return {"config": {"user.db_login": value}, "devices": {"nic0": nic}, "sensitive": KEYS}


def test_sensitive_value_is_written_compared_and_masked(apply, raw):
    apply.changed("lxdapi_profile.present", "web", **declared(CANARY))
    assert raw("profiles/web")["config"] == {"user.db_login": CANARY}
    changes = apply.changed("lxdapi_profile.present", "web", **declared(OTHER))
    nic0 = {"old": {"user.note": "(hidden)"}, "new": {"user.note": "(hidden)"}}
    assert changes == {"config": {"user.db_login": HIDDEN}, "devices": {"nic0": nic0}}
    assert raw("profiles/web")["devices"]["nic0"]["user.note"] == OTHER
    gone = {"config": {"user.db_login": None}, "devices": {"nic0": None}, "sensitive": KEYS}
    changes = apply.changed("lxdapi_profile.present", "web", **gone)
    assert changes["config"] == {"user.db_login": {"old": "(hidden)", "new": None}}
    assert changes["devices"]["nic0"]["old"]["user.note"] == "(hidden)"
    assert "seen" in str(changes) and OTHER not in str(changes)
    assert raw("profiles/web")["config"] == {} == raw("profiles/web")["devices"]


@pytest.mark.parametrize("word, name", [("profile", "bad"), ("instance", "bad"), ("storage_volume", "default/bad")])
def test_refusal_quoting_a_sensitive_value_is_masked(apply, capfd, word, name, monkeypatch):
    key = "size" if word == "storage_volume" else "limits.processes"
    monkeypatch.setenv("DEBUG", "1")
    source = {"source": "none"} if word == "instance" else {}
    comment = apply.failed(f"lxdapi_{word}.present", name, config={key: CANARY}, sensitive=[key], **source)
    assert CANARY not in comment + capfd.readouterr().err
    plain = apply.failed(f"lxdapi_{word}.present", name, config={key: OTHER}, **source)
    assert OTHER in plain and "(hidden)" in comment


def test_refusal_quoting_one_line_of_a_sensitive_value_is_masked(apply):
    config = {"raw.lxc": f"lxc.log.level = 1\n nonsense-{CANARY}"}
    shown = apply.failed("lxdapi_profile.present", "bad", config=config)
    hidden = apply.failed("lxdapi_profile.present", "bad", config=config, sensitive=["raw.*"])
    assert CANARY in shown and CANARY not in hidden and "(hidden)" in hidden


@pytest.mark.only("incus", "incus7")
@pytest.mark.mainly("incus7")
def test_keys_that_the_daemon_calls_secret_are_masked(daemon):
    groups = [
        each for kind in daemon.ask("GET", "/1.0/metadata/configuration")["configs"].values() for each in kind.values()
    ]
    described = {key: about["shortdesc"] for group in groups for entry in group["keys"] for key, about in entry.items()}
    words = r"(?i)password|secret|private key|(tsig|hmac|api) key|api token|credential key/value"
    secret = {key for key, description in described.items() if re.search(words, description)}
    assert "loki.auth.password" in secret
    assert [key for key in secret if not masking.is_secret(key)] == []


@pytest.mark.parametrize("marks", ["user.x", {"user.x": 1}, [5], [""]])
def test_invalid_sensitive_is_refused_before_any_request(apply, marks):
    assert "expected a list of keys or patterns" in apply.refused("lxdapi_profile.present", "web", sensitive=marks)
