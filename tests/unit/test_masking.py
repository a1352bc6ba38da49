"""
Keys that are secret by their names, and values that are secret by their content.
"""

import sys
import threading

import pytest
from lxdapi import masking
from lxdapi.model import diff
from lxdapi.model.kinds import KINDS

HIDDEN = [
    *("acme.provider.environment", "core.trust_password", "environment.DB_PASS", "environment.PASS", "user.pass"),
    *("user.secret", "user.api-key", "user.passphrase", "user.aws_credentials", "user.token", "peers.ns1.key"),
    *("instances.tpm.platform_key", "oidc.client.secret"),
]
SHOWN = [
    *(
        "cluster.join_token_expiry",
        "core.https_allowed_credentials",
        "user.passport",
        "user.bypass",
        "environment.PATH",
    ),
    *("environment.COMPASS", "user.key", "acme.provider", "oidc.client.id", "oidc.scopes"),
]


def changed(key, old, new):
    """Return the changes for a key of the server."""
    return diff.compare(KINDS["server"], {"config": {key: new}}, {"config": {key: old}}).changes["config"][key]


@pytest.mark.parametrize("key", HIDDEN)
def test_secret_key_is_masked(key):
    assert masking.is_secret(key)
    assert changed(key, "canary-1", "canary-2") == {"old": "(hidden)", "new": "(hidden)"}
    assert masking.mask_json({"config": {key: "canary-1"}}) == {"config": {key: "(hidden)"}}


@pytest.mark.parametrize("key", SHOWN)
def test_harmless_key_is_shown(key):
    assert not masking.is_secret(key)
    assert changed(key, "1", "7") == {"old": "1", "new": "7"}


@pytest.mark.parametrize("key", ["core.proxy_http", "core.proxy_https", "user.url"])
def test_password_in_url_is_masked(key):
    change = changed(key, "http://me:canary-1@192.0.2.9:3128/x", "https://192.0.2.9/x")
    assert change == {"old": "http://(hidden)@192.0.2.9:3128/x", "new": "https://192.0.2.9/x"}
    assert masking.holds_secret(key, "http://me:canary-1@192.0.2.9/") and not masking.holds_secret(key, "http://a/b")


@pytest.mark.parametrize("label", ["PRIVATE KEY", "EC PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
def test_private_key_is_masked_in_every_key(label):
    key = f"-----BEGIN {label}-----\ncanary-1\n-----END {label}-----\n"
    config = {"user.tls": key, "user.note": "a PRIVATE KEY"}
    assert changed("user.tls", None, key) == {"old": None, "new": "(hidden)"}
    assert masking.holds_secret("user.tls", key)
    for mask in (masking.mask_json, masking.mask_object):
        assert mask({"config": config}) == {"config": {**config, "user.tls": "(hidden)"}}
    refusal = masking.mask_text(f"invalid value {key!r}".replace("'", '"'), masking.values_of({"config": config}))
    assert refusal == 'invalid value "(hidden)"'


def test_secret_in_device_is_masked():
    found = {"devices": {"web": {"type": "disk", "user.pass": "canary-1", "source": "http://me:canary-2@a/"}}}
    shown = diff.compare(KINDS["profile"], {"devices": {"web": None}}, found).changes["devices"]["web"]["old"]
    assert shown == {"type": "disk", "user.pass": "(hidden)", "source": "http://(hidden)@a/"}


def test_words_are_masked_while_another_thread_adds_secrets():
    hidden, over, before = {f"value{number}" for number in range(200)}, threading.Event(), sys.getswitchinterval()

    def hide():
        while not over.is_set():
            hidden.add("another")
            hidden.discard("another")

    sys.setswitchinterval(1e-5)
    other = threading.Thread(target=hide)
    other.start()
    try:
        assert {masking.mask_text("it was value7", hidden) for _ in range(300)} == {f"it was {masking.MASK}"}
    finally:
        over.set()
        other.join()
        sys.setswitchinterval(before)
