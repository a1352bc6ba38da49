"""
Instances that migrate from one daemon to another: they keep everything, and nothing is lost on the way.
"""

import re

import pytest

from tests.support.two_daemons import STATE, WAY, essence, found, make, pulled, push, snapshots


def test_instance_is_migrated_with_everything(pair, listens):
    listens(pair.here)
    make(pair.here, start=True)
    push(pair.here, "treasure")
    before, kept = found(pair.here), snapshots(pair.here)
    changes = pair.apply.changed(STATE, "web1", allow_stop=True, **WAY)
    assert changes == {"remote": {"old": "here", "new": "there"}}
    after = found(pair.there)
    assert essence(after) == essence(before) and after["status"] == "Running"
    assert snapshots(pair.there) == kept and pulled(pair.there) == "treasure"
    assert found(pair.here) is None
    for key in ("volatile.uuid", "volatile.cloud-init.instance-id"):
        assert after["config"][key] == before["config"][key]


REFUSED = [
    ({}, "it is Running; set allow_stop"),
    ({"allow_stop": True, "pool": "nope"}, "storage pool nope does not exist"),
    ({"allow_stop": True, "project": "nope"}, "project nope does not exist"),
    ({"allow_stop": True, "mode": "post"}, "expected one of pull, push, relay for mode"),
    ({"allow_stop": True, "remote": "here"}, "the same daemon"),
]


@pytest.mark.mainly("incus")
def test_impossible_migration_is_refused_before_any_write(pair):
    make(pair.here, start=True, snapshots=())
    pair.clear()
    for arguments, words in REFUSED:
        assert words in pair.apply.failed(STATE, "web1", **{**WAY, **arguments})
    assert pair.writes() == [] and found(pair.here)["status"] == "Running"


@pytest.mark.mainly("incus")
def test_missing_requirement_on_target_is_reported_first(pair):
    make(pair.here, start=True, snapshots=())
    pair.there.ask("DELETE", "/1.0/profiles/web")
    predicted = pair.apply.predicted(STATE, "web1", allow_stop=True, **WAY)
    assert predicted["result"] is None and "profile web does not exist" in predicted["comment"]
    pair.clear()
    assert "profile web does not exist" in pair.apply.failed(STATE, "web1", allow_stop=True, **WAY)
    assert pair.writes() == []


@pytest.mark.mainly("incus")
def test_protected_instance_is_not_migrated(pair):
    make(pair.here, snapshots=(), config={"security.protection.delete": "true"})
    assert "security.protection.delete" in pair.apply.failed(STATE, "web1", **WAY)


@pytest.mark.mainly("incus")
def test_ephemeral_instance_is_not_migrated(pair):
    make(pair.here, start=True, snapshots=(), ephemeral=True)
    assert "it is ephemeral" in pair.apply.failed(STATE, "web1", allow_stop=True, **WAY)
    assert found(pair.here)["status"] == "Running"


@pytest.mark.mainly("lxd")
def test_instance_on_both_daemons_is_not_touched(pair):
    make(pair.here, snapshots=())
    pair.there.ask("POST", "/1.0/instances", {"name": "web1", "source": {"type": "none"}})
    pair.clear()
    assert "delete one" in pair.apply.failed(STATE, "web1", **WAY)
    assert pair.writes() == [] and found(pair.here) and found(pair.there)


@pytest.mark.mainly("incus")
def test_missing_instance_fails_and_is_predicted_as_not_yet(pair):
    assert "neither on" in pair.apply.failed(STATE, "web1", **WAY)
    predicted = pair.apply.predicted(STATE, "web1", **WAY)
    assert predicted["result"] is None and "; note: " in predicted["comment"]


@pytest.mark.mainly("incus")
def test_secrets_of_a_transfer_are_not_printed(pair, listens, monkeypatch, capfd):
    monkeypatch.setenv("DEBUG", "1")
    listens(pair.here)
    make(pair.here, snapshots=())
    assert pair.apply(STATE, "web1", **WAY)["result"] is True
    printed = capfd.readouterr().err
    assert '"secrets"' in printed
    assert not re.search(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", without_digests(printed))


def without_digests(text):
    """Return a printout without fingerprints, which are long and not secret."""
    return re.sub(r'"(volatile\.base_image|certificate_fingerprint|fingerprint)": "[0-9a-f]{64}"', "", text)
