"""
The settings of the server: set, edited, unset; secrets are never shown; a rejected change leaves everything as before.
"""

import socket

import pytest

from tests.support.cluster import free_addresses

SERVER = "lxdapi_server.present"


@pytest.fixture
def config(daemon):
    """Read the settings of the server, past the code under test."""
    return lambda: daemon.ask("GET", "/1.0")["config"]


def test_settings_are_set_edited_and_unset_and_others_kept(apply, daemon, config):
    daemon.ask("PATCH", "/1.0", {"config": {"user.theirs": "1"}})
    changes = apply.changed(SERVER, "server", config={"user.contact": "ops", "core.proxy_ignore_hosts": "a,b"})
    assert changes == {
        "config": {
            "user.contact": {"old": None, "new": "ops"},
            "core.proxy_ignore_hosts": {"old": None, "new": "a,b"},
        }
    }
    changes = apply.changed(SERVER, "any name", config={"user.contact": "web"})
    assert changes == {"config": {"user.contact": {"old": "ops", "new": "web"}}}
    changes = apply.changed(SERVER, "server", config={"user.contact": None, "core.proxy_ignore_hosts": ""})
    assert changes["config"]["user.contact"] == {"old": "web", "new": None}
    assert set(changes["config"]) == {"user.contact", "core.proxy_ignore_hosts"}
    assert config()["user.theirs"] == "1"
    assert not {"user.contact", "core.proxy_ignore_hosts"} & set(config())
    apply.unchanged(SERVER, "server")
    apply.unchanged(SERVER, "server", config={"user.never": None})


SCRIPTLET = "def authorize(details, object, entitlement):\n    return True\n"
SCRIPTLETS = {"authorization.scriptlet": SCRIPTLET}
LOGGING = {
    "logging.web.target.type": "webhook",
    "logging.web.target.address": "http://127.0.0.1:9",
    "logging.web.target.password": "canary-1",
    "logging.web.types": "lifecycle,network-acl",
}


@pytest.mark.mainly("incus7")
def test_logging_and_authorization_are_set_or_refused_by_name(apply, daemon, config):
    extensions = daemon.ask("GET", "/1.0")["api_extensions"]
    for extension, declared in (("server_logging_webhook", LOGGING), ("authorization_scriptlet", SCRIPTLETS)):
        if extension not in extensions:
            comment = apply.failed(SERVER, "server", config=declared)
            assert any(key in comment for key in declared)
            continue
        changes = apply.changed(SERVER, "server", config=declared)
        assert set(changes["config"]) == set(declared) and "canary" not in str(changes)
        assert {key: config()[key] for key in declared} == declared
        apply.changed(SERVER, "server", config=dict.fromkeys(declared))
        assert not set(declared) & set(config())


def test_empty_config_unsets_all_but_the_addresses(apply, https, config):
    apply(SERVER, "server", config={"user.contact": "ops"})
    changes = apply.changed(SERVER, "server", config={})
    assert changes["config"]["user.contact"] == {"old": "ops", "new": None}
    assert "core.https_address" not in changes["config"]
    assert set(config()) == {"core.https_address"}
    assert config()["core.https_address"] in https


def test_refused_key_changes_nothing_including_the_address(apply, https, config):
    apply(SERVER, "server", config={"user.contact": "ops"})
    before = config()
    comment = apply.failed(SERVER, "server", config={"core.bogus": "1", "user.contact": "web"})
    assert comment.startswith("server could not be updated: ")
    assert "core.bogus" in comment
    assert "(PATCH /1.0)" in comment
    assert config() == before
    assert before["core.https_address"] in https


def test_refused_change_keeps_the_address_after_restart(apply, https, daemon, config):
    apply.failed(SERVER, "server", config={"core.bogus": "1"})
    apply.failed(SERVER, "server", config={"core.metrics_address": "192.0.2.1:1"})
    daemon.restart()
    assert config()["core.https_address"] in https
    host, _, port = https.partition("//")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=10):
        pass


def test_declared_address_is_changed_and_unset(apply, https, config):
    apply.unchanged(SERVER, "server", config={"core.https_address": https.partition("//")[2]})
    changes = apply.changed(SERVER, "server", config={"core.https_address": None})
    assert changes["config"]["core.https_address"]["new"] is None
    assert "core.https_address" not in config()


def test_a_secret_is_set_and_never_shown(apply, daemon, config):
    declared = {"user.db_password": "canary-1", "user.x": "1"}
    for password in ("canary-1", "canary-2"):
        ret = apply(SERVER, "server", config={**declared, "user.db_password": password})
        assert ret["result"] is True
        assert ret["changes"]["config"]["user.db_password"]["new"] == "(hidden)"
        assert "canary" not in str(ret)
        apply.unchanged(SERVER, "server", config={**declared, "user.db_password": password})
    assert config()["user.db_password"] == "canary-2"


def test_trust_password_is_set_once(apply, daemon, config):
    declared = {"core.trust_password": "canary-1"}
    if daemon.server != "lxd":
        comment = apply.failed(SERVER, "server", config=declared)
        assert "core.trust_password" in comment and "canary" not in comment
        return
    changes = apply.changed(SERVER, "server", config=declared)
    assert changes == {"config": {"core.trust_password": {"old": None, "new": "(hidden)"}}}
    assert config()["core.trust_password"] is True
    comment = apply.unchanged(SERVER, "server", config={"core.trust_password": "canary-2"})["comment"]
    assert (
        comment == "server is as declared; "
        "core.trust_password: set, but the daemon does not show the value, so it cannot be compared"
    )
    changes = apply.changed(SERVER, "server", config={"core.trust_password": None})
    assert changes == {"config": {"core.trust_password": {"old": "(hidden)", "new": None}}}
    assert "core.trust_password" not in config()


def test_spelling_of_a_setting_is_no_change(apply, daemon, config):
    apply.changed(SERVER, "server", config={"core.metrics_authentication": "false"})
    apply.unchanged(SERVER, "server", config={"core.metrics_authentication": False})
    apply.unchanged(SERVER, "server", config={"core.metrics_authentication": "no"})


@pytest.mark.parametrize("key", ["core.metrics_authentication", "images.auto_update_cached"])
def test_setting_with_default_true_is_unset(apply, daemon, config, key):
    apply.changed(SERVER, "server", config={key: "false"})
    assert apply.changed(SERVER, "server", config={key: None}) == {"config": {key: {"old": "false", "new": None}}}
    assert key not in config()


@pytest.fixture
def rows(daemon):
    """Read the settings of the cluster from the daemon's database, past its cache."""

    def read():
        query = {"database": "global", "query": "SELECT key, value FROM config"}
        status, reply = daemon.request("POST", "/internal/sql", query)
        assert status == 200, reply
        return dict(reply["metadata"]["Results"][0]["rows"] or [])

    yield read
    daemon.request("PATCH", "/1.0", {"config": {"core.metrics_address": ""}})


@pytest.mark.parametrize("key", ["core.metrics_address", "core.dns_address", "core.bgp_address"])
def test_empty_config_keeps_the_daemon_listening(apply, daemon, config, key):
    address = free_addresses(1)[0]
    more = {"core.bgp_asn": "65000", "core.bgp_routerid": "127.0.0.1"} if key == "core.bgp_address" else {}
    daemon.ask("PATCH", "/1.0", {"config": {**more, key: address, "user.contact": "ops"}})
    changes = apply.changed(SERVER, "server", config={})
    assert "user.contact" in changes["config"] and key not in changes["config"]
    assert config()[key] == address
    apply.changed(SERVER, "server", config={key: None})
    # LXD 5.0.2 can no longer create networks then: "bgp server hasn't started yet".
    if (daemon.server, key) == ("lxd", "core.bgp_address"):
        daemon.restart()


def test_unusable_address_changes_no_other_setting(apply, daemon, rows, config):
    kept = {"user.contact": "ops", "images.auto_update_interval": "7", "core.proxy_ignore_hosts": "a,b"}
    apply(SERVER, "server", config=kept)
    before = rows()
    assert before.items() >= kept.items()
    comment = apply.failed(SERVER, "server", config={"core.metrics_address": "192.0.2.1:1"})
    assert "(PATCH /1.0)" in comment
    assert rows() == before
    assert config().items() >= kept.items()


def test_secrets_with_other_names_are_masked(apply, daemon):
    declared = {"core.proxy_http": "http://me:canary-1@192.0.2.9:3128", "core.https_allowed_credentials": "true"}
    known = daemon.ask("GET", "/1.0")["api_extensions"]
    declared.update({"acme.provider.environment": "DB_PASS=canary-2"} if "acme_dns01" in known else {})
    changes = apply.changed(SERVER, "server", config=declared)["config"]
    assert "canary" not in str(changes)
    assert changes["core.proxy_http"]["new"] == "http://(hidden)@192.0.2.9:3128"
    assert changes["core.https_allowed_credentials"] == {"old": None, "new": "true"}
    assert changes.get("acme.provider.environment", {"new": "(hidden)"})["new"] == "(hidden)"


def test_trust_password_survives_another_change(apply, daemon, rows):
    if daemon.server == "lxd":
        apply(SERVER, "server", config={"core.trust_password": "canary-1"})
        before = rows()["core.trust_password"]
        apply.changed(SERVER, "server", config={"user.contact": "ops"})
        assert rows()["core.trust_password"] == before
