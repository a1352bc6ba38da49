"""
A client becomes trusted by a daemon over HTTPS, with a token or a password, and loses the trust again.
"""

import base64
import json
import re
import stat
import subprocess
import textwrap

import pytest

from tests.support import contract
from tests.support.client_certificates import in_files
from tests.support.loader import REPO, Loaded

PRESENT, ABSENT = "lxdapi_trust.present", "lxdapi_trust.absent"


class Far:
    """A remote with a client that has no files yet; ``sent`` are the requests of the last call."""

    def __init__(self, folder, https, daemon):
        self.folder, self.https, self.daemon = folder, https, daemon
        self.cert, self.key, self.pin = (folder / "pki" / "deep" / f"{name}" for name in ("c.crt", "c.key", "s.crt"))
        self.server = daemon.ask("GET", "/1.0")["environment"]["certificate_fingerprint"]
        self.sent, self._loaded = [], {}

    def settings(self, **more):
        """Return the settings of the remote; None removes a setting."""
        paths = {"cert": str(self.cert), "key": str(self.key), "fingerprint": str(self.pin)}
        settings = {"endpoint": self.https, **paths, **more}
        return {key: value for key, value in settings.items() if value is not None}

    def salt(self, **more):
        """Return Salt's modules and states for the remote, loaded once for the same settings."""
        key = repr(more)
        if key not in self._loaded:
            self._loaded[key] = Loaded(
                self.folder / "salt", {"far": self.settings(**more), "local": self.daemon.socket}
            )
        return self._loaded[key]

    def files(self):
        """Return the names of the client's files that exist."""
        return sorted(each.name for each in (self.folder / "pki").glob("**/*") if each.is_file())

    def token(self, client="web1", **more):
        """Return a token in the form that the daemon's own client prints."""
        body = {"name": client, "type": "client", "token": True, **more}
        facts = self.daemon.request("POST", "/1.0/certificates", body)[1]["metadata"]["metadata"]
        data = {"client_name": client, "expires_at": facts.get("expiresAt", "0001-01-01T00:00:00Z")}
        return self.text({**data, **{key: facts[key] for key in ("fingerprint", "addresses", "secret")}})

    @staticmethod
    def text(data):
        """Return the text of a token."""
        return base64.b64encode(json.dumps(data).encode()).decode()

    def known(self):
        """Return {fingerprint: name} of the daemon's trust store."""
        found = self.daemon.ask("GET", "/1.0/certificates?recursion=1")
        return {each["fingerprint"]: each["name"] for each in found}

    def apply(self, function=PRESENT, test=False, settings=None, **arguments):
        """Return the result of a state."""
        salt = self.salt(**(settings or {}))
        with contract.recording() as self.sent:
            return (salt.predicted if test else salt.states)[function](name="far", **arguments)

    def writes(self):
        """Return the requests of the last call other than GET."""
        return [(each.method, each.path) for each in self.sent if each.method != "GET"]

    def unchanged(self, function=PRESENT, settings=None, **arguments):
        """Check that a state changes nothing, with and without test mode."""
        for test in (True, False):
            ret = self.apply(function, test, settings, **arguments)
            assert (ret["result"], ret["changes"], self.writes()) == (True, {}, []), ret
        return ret["comment"]

    def changed(self, function=PRESENT, settings=None, **arguments):
        """Return the changes of a state that test mode predicted with reads alone."""
        before = self.files(), self.known()
        expected = self.apply(function, True, settings, **arguments)
        assert (expected["result"], self.writes()) == (None, []), expected
        assert (self.files(), self.known()) == before
        ret = self.apply(function, False, settings, **arguments)
        assert (ret["result"], ret["changes"]) == (True, expected["changes"]), ret
        self.unchanged(function, settings, **arguments)
        return ret["changes"]

    def failed(self, function=PRESENT, settings=None, **arguments):
        """Return the comment of a state that fails without a traceback and without a secret."""
        ret = self.apply(function, False, settings, **arguments)
        assert ret["result"] is False and "Traceback" not in ret["comment"], ret
        assert not [value for value in arguments.values() if value in ret["comment"]]
        return ret["comment"]


@pytest.fixture
def far(tmp_path, https, daemon):
    """A remote with a client that has no files yet."""
    return Far(tmp_path, https, daemon)


def mode(path):
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_token_is_sufficient_and_used_once(far):
    token = far.token()
    changes = far.changed(token=token)
    assert changes == {
        "key": {"old": None, "new": str(far.key)},
        "cert": {"old": None, "new": str(far.cert)},
        "fingerprint": {"old": None, "new": far.server},
        "trusted": {"old": False, "new": True},
    }
    assert (mode(far.key), mode(far.key.parent), mode(far.key.parent.parent)) == (0o600, 0o700, 0o700)
    assert (mode(far.cert), mode(far.pin), far.files()) == (0o644, 0o644, ["c.crt", "c.key", "s.crt"])
    salt = far.salt()
    ours = salt.modules["lxdapi_trust.fingerprint"](str(far.cert))
    assert far.known() == {ours: "web1"}
    assert salt.modules["lxdapi_trust.fingerprint"](str(far.pin)) == far.server
    assert salt.states["lxdapi_profile.present"](name="web", remote="far")["changes"] == {"created": "web"}
    assert far.unchanged() == "client of far is as declared"


def test_existing_key_is_used_and_never_replaced(far):
    in_files(far.cert, far.key)
    key = far.key.read_bytes()
    assert far.changed(token=far.token(), settings={"fingerprint": far.server}) == {
        "trusted": {"old": False, "new": True}
    }
    assert far.key.read_bytes() == key and not far.pin.exists()


def test_used_token_trusts_nobody_else(far):
    token = far.token()
    far.changed(token=token)
    for path in (far.cert, far.key):
        path.unlink()
    ret = far.apply(token=token)
    assert ret["result"] is False and set(ret["changes"]) == {"key", "cert"}
    assert "client of far could not be trusted: No matching certificate add operation found (POST " in ret["comment"]
    assert "was given a key pair" in ret["comment"] and token not in ret["comment"]


def test_a_token_of_another_server_is_refused_before_any_request(far):
    other = far.text({"secret": "canary", "fingerprint": "0" * 64, "addresses": []})
    comment = far.failed(token=other, settings={"fingerprint": far.server})
    assert f"the certificate {far.server}, got one of {'0' * 64}" in comment and far.sent == []
    assert far.files() == []


def test_token_is_not_sent_to_another_server(far):
    other = far.text({"secret": "canary", "fingerprint": "0" * 64, "addresses": []})
    comment = far.failed(token=other)
    assert "not the pinned one" in comment and far.server in comment and "0" * 64 in comment
    assert (far.writes(), far.files()) == ([], [])


def test_unverified_server_is_not_trusted_on_first_use(far):
    comment = far.failed()
    assert "there is no token with the server's fingerprint" in comment and far.sent == [] and far.files() == []
    in_files(far.cert, far.key)
    assert "s.crt: No such file" in far.salt().states["lxdapi_profile.present"](name="web", remote="far")["comment"]


def test_expired_token_is_refused_only_when_needed(far):
    good = far.token()
    data = json.loads(base64.b64decode(good))
    old = far.text({**data, "expires_at": "2026-01-02T03:04:05.678901234Z"})
    comment = far.failed(token=old)
    assert "token: it expired on 2026-01-02 03:04 UTC" in comment and far.writes() == []
    far.changed(token=good)
    far.unchanged(token=old)


def test_missing_token_is_reported_and_key_is_created(far):
    settings = {"fingerprint": far.server}
    ret = far.apply(test=True, settings=settings)
    assert ret["result"] is None and "no token or password is declared" in ret["comment"]
    comment = far.failed(settings=settings)
    ours = far.salt().modules["lxdapi_trust.fingerprint"](str(far.cert))
    assert f"does not trust the client certificate {ours}: declare a token; no token or password is declared" in comment
    body = {"type": "client", "name": "x", "certificate": far.salt().modules["cp.get_file_str"](str(far.cert))}
    body["certificate"] = "".join(body["certificate"].splitlines()[1:-1])
    far.daemon.ask("POST", "/1.0/certificates", body)
    far.unchanged(settings=settings)


def test_a_client_is_distrusted_and_keeps_its_files(far):
    assert far.unchanged(ABSENT, settings={"fingerprint": far.server}) == "client of far is not trusted"
    far.changed(token=far.token())
    assert far.changed(ABSENT) == {"trusted": {"old": True, "new": False}}
    assert (far.known(), far.files()) == ({}, ["c.crt", "c.key", "s.crt"])


def test_restricted_client_cannot_distrust_itself(far):
    salt = far.salt()
    far.changed(token=salt.modules["lxdapi_trust.token_create"]("web1", restricted=True, projects=["default"]))
    (entry,) = far.daemon.ask("GET", "/1.0/certificates?recursion=1")
    assert (entry["name"], entry["restricted"], entry["projects"]) == ("web1", True, ["default"])
    comment = far.failed(ABSENT)
    assert re.search(r"could not be distrusted: .*(not authorized|restricted).*DELETE /1.0/certificates/", comment)
    assert far.unchanged() == "client of far is as declared"


def test_trust_password_works_only_with_verified_lxd(far):
    settings = {"fingerprint": far.server}
    if far.daemon.server != "lxd":
        assert "the server accepts only tokens" in far.failed(settings=settings, password="canary-1")
        return
    far.daemon.ask("PATCH", "/1.0", {"config": {"core.trust_password": "canary-1"}})
    comment = far.failed(settings={"fingerprint": None, "verify": False}, password="canary-1")
    assert "lxdapi does not send it to an unverified server" in comment and far.sent == []
    assert "(POST /1.0/certificates)" in far.failed(settings=settings, password="canary-2")
    assert far.changed(settings=settings, password="canary-1") == {"trusted": {"old": False, "new": True}}
    assert list(far.known().values()) == ["functional"]


def test_key_without_certificate_is_reported(far):
    in_files(far.cert, far.key)
    far.cert.unlink()
    comment = far.failed(token=far.token())
    assert f"client key {far.key} exists without its certificate {far.cert}" in comment and far.sent == []
    in_files(far.cert, far.folder / "other.key")
    assert "the key does not belong to the certificate" in far.failed(token=far.token())


def test_token_password_and_key_are_masked(far, caplog, capfd):
    caplog.set_level(1)
    token = far.token()
    secrets = [token, json.loads(base64.b64decode(token))["secret"]]
    for _ in range(2):
        said = str(far.apply(token=token, settings={"debug": True}))
        far.cert.unlink(missing_ok=True)
        (far.cert.parent / "c.key").replace(far.folder / "kept")
    secrets += (far.folder / "kept").read_text().splitlines()[1:-1]
    captured = capfd.readouterr()
    assert "POST" in captured.err and "(hidden)" in captured.err
    everything = said + captured.out + captured.err + caplog.text + "".join(map(str, far.known().values()))
    assert [each for each in secrets if each in everything] == []


def test_trust_examples_work_and_tokens_are_not_logged(far, caplog):
    caplog.set_level(1)
    token, salt = far.token(), far.salt()
    examples = re.findall(r"code-block:: yaml\n\n((?:        .*\n)+)", (REPO / "_states/lxdapi_trust.py").read_text())
    assert [f"lxdapi_trust.{each}" in sls for each, sls in zip(("present", "absent"), examples)] == [True, True]
    for number, sls in enumerate(examples):
        (salt.tree / f"x{number}.sls").write_text(textwrap.dedent(sls))
        for changed in (True, False):
            (ret,) = salt.modules["state.apply"](f"x{number}", pillar={"far_token": token}).values()
            assert (ret["result"], bool(ret["changes"])) == (True, changed), ret
    assert "lxdapi_trust.present" in caplog.text and token not in caplog.text


def test_tokens_are_created_listed_and_revoked(far):
    far.daemon.ask("PATCH", "/1.0", {"config": {"core.remote_token_expiry": "1H"}})
    trust = {each: far.salt().modules[f"lxdapi_trust.token_{each}"] for each in ("create", "list", "revoke")}
    assert trust["list"]() == [] and trust["revoke"]("web1") == {}
    tokens = [trust["create"]("web1"), trust["create"]("web2", restricted=True, projects=["default"])]
    data = json.loads(base64.b64decode(tokens[0]))
    assert (data["client_name"], data["fingerprint"]) == ("web1", far.server)
    assert [f"https://{each}" for each in data["addresses"]] == [far.https]
    listed = sorted(trust["list"](), key=lambda each: each["name"])
    assert [(each["name"], each["restricted"], each["projects"]) for each in listed] == [
        ("web1", False, []),
        ("web2", True, ["default"]),
    ]
    assert data["secret"] not in str(listed)
    assert {each["expires_at"][:2] for each in listed} == {"20"} and data["expires_at"] > "2026"
    assert trust["revoke"]("web1") == {"deleted": "web1"}
    assert [each["name"] for each in trust["list"]()] == ["web2"]
    assert "No matching certificate add operation" in far.failed(token=tokens[0])
    assert (trust["revoke"]("web1"), trust["revoke"]("web2")) == ({}, {"deleted": "web2"})


def test_token_needs_effective_limits_and_a_listening_daemon(far, raw):
    create = far.salt().modules["lxdapi_trust.token_create"]
    with pytest.raises(Exception, match="have no effect without restricted"):
        create("web1", projects=["default"])
    far.daemon.ask("PATCH", "/1.0", {"config": {"core.https_address": ""}})
    with pytest.raises(Exception, match="does not listen on an address"):
        create("web1")
    assert far.salt().modules["lxdapi_trust.token_list"]() == []


def test_token_contains_server_addresses(far):
    salt = far.salt(endpoint=None)
    token = salt.modules["lxdapi_trust.token_create"]("web1")
    data = json.loads(base64.b64decode(token))
    token = far.text({**data, "addresses": ["127.0.0.1:1", *data["addresses"]]})
    found = salt.modules["lxdapi_trust.redeem"]("far", token)
    assert (found["endpoint"], found["trusted"]) == (far.https, {"old": False, "new": True})
    assert far.salt().modules["lxdapi_trust.redeem"]("far", token) == {}
    assert list(far.known().values()) == ["web1"]


def test_tokens_are_compatible_with_the_vendor_client(far):
    client, variable = ("lxc", "LXD") if far.daemon.server == "lxd" else ("incus", "INCUS")
    environ = {
        "PATH": "/usr/bin:/bin",
        f"{variable}_CONF": str(far.folder),
        f"{variable}_DIR": str(far.daemon.directory),
    }

    def said(*words):
        done = subprocess.run([client, *words], env=environ, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    said("remote", "add", "ours", far.salt().modules["lxdapi_trust.token_create"]("web1"))
    assert list(far.known().values()) == ["web1"]
    name = ["--name", "web2"] if client == "lxc" else ["web2"]
    far.changed(token=said("config", "trust", "add", *name).split()[-1])
    assert sorted(far.known().values()) == ["web1", "web2"]


def test_local_remote_needs_no_trust(far):
    for settings in ({"endpoint": far.daemon.socket}, {"endpoint": None}):
        assert "no https:// endpoint" in far.failed(settings=settings) and far.sent == []
