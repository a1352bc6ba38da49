"""
The SLS of examples/ work verbatim.
"""

import time

import pytest
import yaml
from salt.exceptions import SaltInvocationError

from tests.support.loader import REPO, Loaded


@pytest.fixture
def salt(tmp_path, proxy, image):
    """Salt with examples/ and their image."""
    salt = Loaded(tmp_path, {"local": str(proxy.socket)}, file_roots=[str(REPO / "examples")])
    (salt.tree / "busybox.tar.gz").write_bytes(image.read_bytes())
    return salt


def applied(salt, sls, **options):
    """Return the results of an SLS by state ID."""
    answers = salt.modules["state.apply"](sls, **options)
    assert isinstance(answers, dict), answers
    return {answer["__id__"]: answer for answer in answers.values()}


def outcome(answers):
    return {name: (answer["result"], bool(answer["changes"])) for name, answer in answers.items()}


def test_web_example_is_created_idempotent_and_removed(salt, raw, proxy):
    everything = ["busybox", "web", "web1", "web2"]
    assert outcome(applied(salt, "web")) == dict.fromkeys(everything, (True, True))
    assert [raw(f"instances/{name}")["status"] for name in ("web1", "web2")] == ["Running"] * 2
    proxy.clear()
    assert outcome(applied(salt, "web")) == dict.fromkeys(everything, (True, False))
    assert proxy.writes() == []
    assert outcome(applied(salt, "web_gone")) == dict.fromkeys(everything, (True, True))
    assert (raw("instances"), raw("images")) == ([], [])


def test_cloud_init_example_is_predicted_created_and_removed(salt, imported, raw, proxy):
    assert outcome(applied(salt, "cloud", test=True)) == {"cloud1": (None, True)} and proxy.writes() == []
    assert outcome(applied(salt, "cloud")) == {"cloud1": (True, True)}
    found = raw("instances/cloud1")
    assert found["devices"] == {"root": {"path": "/", "pool": "default", "type": "disk", "size": "5GiB"}}
    document = yaml.safe_load(found["config"]["cloud-init.user-data"])
    assert document["write_files"][0]["permissions"] == "0755" and document["packages"] == ["nginx"]
    proxy.clear()
    assert outcome(applied(salt, "cloud")) == {"cloud1": (True, False)}
    assert proxy.writes() == []
    changed = applied(salt, "cloud", pillar={"packages": ["nginx", "curl"]})["cloud1"]
    assert "+- curl" in changed["changes"]["config"]["cloud-init.user-data"]["diff"]
    assert outcome(applied(salt, "cloud_gone")) == {"cloud1": (True, True)}


def test_site_example_is_predicted_created_and_removed(salt, raw, proxy):
    predicted = outcome(applied(salt, "site", test=True))
    assert set(predicted.values()) == {(None, True)} and proxy.writes() == []
    assert set(outcome(applied(salt, "site")).values()) == {(True, True)}
    assert raw("instances/app1")["status"] == "Running"
    assert raw("networks/sitebr0")["config"]["security.acls"] == "site"
    proxy.clear()
    assert outcome(applied(salt, "site")) == dict.fromkeys(predicted, (True, False))
    assert proxy.writes() == []
    for changes in (True, False):
        assert set(outcome(applied(salt, "site_gone")).values()) == {(True, changes)}
    assert (raw("instances"), raw("network-acls"), raw("network-zones") or []) == ([], [], [])


@pytest.mark.mainly("incus7")
def test_backup_example_creates_snapshots_and_files_once(salt, raw, imported, proxy, tmp_path):
    folder, hour = {"backups": str(tmp_path)}, time.time() // 3600
    answers = applied(salt, "backups", pillar=folder)
    assert len(answers) == 4 and set(outcome(answers).values()) == {(True, True)}
    assert {"web1.tar.gz", "web1.tar.gz.sha256", "data.tar.gz"} <= {each.name for each in tmp_path.iterdir()}
    proxy.clear()
    again = applied(salt, "backups", pillar=folder)
    if time.time() // 3600 != hour:  # the next hourly snapshot was due
        proxy.clear()
        again = applied(salt, "backups", pillar=folder)
    assert set(outcome(again).values()) == {(True, False)}
    assert proxy.writes() == []


def test_files_example_is_predicted_and_created(salt, raw, proxy, daemon):
    applied(salt, "web")
    predicted = outcome(applied(salt, "files", test=True))
    assert [result for result, _ in predicted.values()] == [None] * 3
    assert set(outcome(applied(salt, "files")).values()) == {(True, True)}
    proxy.clear()
    assert set(outcome(applied(salt, "files")).values()) == {(True, False)}
    assert proxy.writes() == []
    assert salt.modules["lxdapi_file.read"]("web1", "/etc/site/site.conf") == "listen 8080;\n"
    assert salt.modules["lxdapi_file.readdir"]("web1", "/etc/site/www/") == ["index.html"]


def test_demo_edit_is_predicted_exactly(salt, proxy):
    applied(salt, "web")
    proxy.clear()
    answers = applied(salt, "web", test=True, pillar={"memory": "128MiB"})
    assert proxy.writes() == []
    assert answers["web"]["changes"] == {"config": {"limits.memory": {"old": "64MiB", "new": "128MiB"}}}


def test_unknown_argument_in_sls_stops_the_run(salt, proxy):
    (salt.tree / "typo.sls").write_text("web:\n  lxdapi_profile.present:\n    - confg: {}\n")
    with pytest.raises(SaltInvocationError, match="confg"):
        salt.modules["state.apply"]("typo")
    assert proxy.seen == []
