"""
Users of an OpenID Connect provider: the settings of the server decide whether it trusts their tokens.
"""

import json
import ssl
import urllib.error
import urllib.request

import pytest

from tests.support.oidc_issuer import OidcIssuer

SERVER = "lxdapi_server.present"
CLIENT = "web-client"
KEYS = ("oidc.issuer", "oidc.client.id", "oidc.audience")


@pytest.fixture
def issuer():
    """A provider on loopback."""
    running = OidcIssuer()
    yield running
    running.close()


@pytest.fixture
def identity(https, daemon):
    """Return a function that asks the daemon who the bearer of a token is: (trusted or not, name)."""
    context = ssl.create_default_context(cadata=daemon.ask("GET", "/1.0")["environment"]["certificate"])
    context.check_hostname = False

    def ask(token):
        request = urllib.request.Request(f"{https}/1.0", headers={"Authorization": f"Bearer {token}"})
        try:
            reply = urllib.request.urlopen(request, context=context, timeout=10)
        except urllib.error.HTTPError as error:
            assert error.code == 401
            return "refused", None
        found = json.load(reply)["metadata"]
        return found["auth"], found.get("auth_user_name")

    return ask


@pytest.fixture
def settings(issuer):
    """The settings of the server for the provider."""
    return dict(zip(KEYS, (issuer.url, CLIENT, CLIENT)))


@pytest.mark.only("lxd")
def test_lxd_without_oidc_names_the_setting(apply, settings):
    assert "oidc." in apply.failed(SERVER, "server", config=settings)


@pytest.mark.only("incus", "incus7")
def test_settings_decide_who_is_trusted(apply, issuer, identity, settings):
    tokens = [issuer.token(audience) for audience in (CLIENT, "other-client")]
    changes = apply.changed(SERVER, "server", config=settings)
    assert changes == {"config": {key: {"old": None, "new": value} for key, value in settings.items()}}
    assert [identity(token) for token in tokens] == [("trusted", "jane@example.com"), ("refused", None)]
    changes = apply.changed(SERVER, "server", config={"oidc.audience": "other-client"})
    assert changes == {"config": {"oidc.audience": {"old": CLIENT, "new": "other-client"}}}
    assert [identity(token)[0] for token in tokens] == ["refused", "trusted"]
    assert set(apply.changed(SERVER, "server", config=dict.fromkeys(KEYS))["config"]) == set(KEYS)
    assert [identity(token)[0] for token in tokens] == ["untrusted", "untrusted"]
