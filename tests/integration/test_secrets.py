"""
Canaries in every place that can contain a secret, and a search in everything that runs of Salt leave behind.

Salt itself leaves the SLS: it copies the file to the minion's cache and logs it at the level debug. The tests ignore
those by logger and path; lxdapi is responsible for everything else.
"""

import base64
import json
import socket
import ssl
from dataclasses import dataclass, field

import pytest

from tests.support import canaries
from tests.support.canaries import MARKED, Canaries
from tests.support.salt_commands import REPO

# The loggers whose records contain the rendered SLS.
SALTS_LOGGERS = {"salt.template"}
# Remotes with an unusable key: inline, and in a file.
UNUSABLE = ("broken", "unusable")


@dataclass
class Evidence:
    """The traces of runs of Salt: ``said`` by command, ``files`` by path."""

    canaries: Canaries
    daemons: dict
    said: dict = field(default_factory=dict)
    commands: set = field(default_factory=set)
    files: dict = field(default_factory=dict)
    log: str = ""
    temporary: list = field(default_factory=list)

    def leaked(self, text):
        """Return the purposes of the secrets in a text."""
        return [what for what in self.canaries.found(text) if what != "shown"]


@pytest.fixture(scope="module")
def reachable(daemons, remotes, tmp_path_factory):
    """Remotes over HTTPS with an inline key, by name, and two remotes with a broken key."""
    found = Canaries()
    cert, key = canaries.key_pair(found)
    inline = {"cert": cert, "key": key, "verify": False, "debug": True}
    body = {
        "type": "client",
        "name": "canary",
        "certificate": base64.b64encode(ssl.PEM_cert_to_DER_cert(cert)).decode(),
    }
    more = {}
    for kind in remotes:
        address = f"127.0.0.1:{_free_port()}"
        daemons[kind].ask("PATCH", "/1.0", {"config": {"core.https_address": address}})
        daemons[kind].ask("POST", "/1.0/certificates", body)
        more[f"far {kind}"] = {**inline, "endpoint": f"https://{address}"}
    broken = key.replace(key.splitlines()[3], found["broken key"])
    more["broken"] = {**inline, "key": broken, "endpoint": "https://127.0.0.1:9"}
    files = {name: tmp_path_factory.mktemp("key") / name for name in ("cert", "key")}
    files["cert"].write_text(cert)
    files["key"].touch(mode=0o600)
    files["key"].write_text(key.replace(key.splitlines()[3], found["key file"]))
    more["unusable"] = {**more["broken"], **{name: str(path) for name, path in files.items()}}
    yield found, {**remotes, **more}
    for kind in remotes:
        daemons[kind].wipe()


@pytest.fixture(scope="module")
def evidence(make_salt, roots, remotes, reachable, daemons, tmp_path_factory):
    """The traces of test mode, two applies, an edit, failures, and functions that show objects."""
    found, known = reachable
    salt = make_salt(
        "canaries",
        lxdapi={"remotes": known, "sensitive": MARKED},
        log_file="/salt.log",
        log_level_logfile="all",
        log_fmt_logfile=canaries.LOG_FORMAT,
    )
    _write(roots[-1], "canaries_first", [canaries.planted(found, kind, "first") for kind in remotes])
    _write(roots[-1], "canaries_second", [canaries.planted(found, kind, "second") for kind in remotes])
    _write(roots[-1], "canaries_refused", [canaries.refused(found, kind) for kind in remotes])
    _write(roots[-1], "canaries_read", [canaries.read(remote) for remote in known if remote not in UNUSABLE])
    seen, temporary = Evidence(found, daemons), tmp_path_factory.mktemp("temporary")
    environment = {"DEBUG": "1", "TMPDIR": str(temporary)}
    with canaries.watched() as seen.commands:
        for words in ("first test=True", "first", "first ", "second", "refused", "read"):
            called = ["state.apply", *f"canaries_{words}".split()]
            seen.said[words] = salt.call("-m", REPO, "-l", "quiet", *called, **environment)
    remote = f"remote={next(iter(remotes))}"
    for words in (
        ["lxdapi.create", "profile", "x", json.dumps({"config": {"limits.processes": found["direct"]}})],
        ["lxdapi.get", f"operations/x/websocket?secret={found['query']}"],
    ):
        seen.said[words[0]] = salt.call("-m", REPO, "-l", "all", *words, remote, **environment)
    seen.files = canaries.left(salt.folder)
    seen.log = seen.files.pop("salt.log")
    seen.temporary = sorted(str(path) for path in temporary.rglob("*"))
    return seen


def _write(folder, name, parts):
    (folder / f"{name}.sls").write_text(json.dumps({key: value for part in parts for key, value in part.items()}))


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def results(said):
    """Return {id: result} of a state run."""
    return {answer["__id__"]: answer["result"] for answer in said.parsed()["local"].values()}


def test_secret_runs_have_expected_results(evidence, remotes):
    for kind in remotes:
        subjects = [f"{kind} {what}" for what in ("server server", "profile web", "instance c1")]
        for turn, expected in (("first test=True", None), ("first", True), ("first ", True), ("second", True)):
            found = results(evidence.said[turn])
            assert [found[subject] for subject in subjects] == [expected] * 3, (turn, found)
        web = evidence.daemons[kind].ask("GET", "/1.0/profiles/web")
        planted = evidence.canaries.found(json.dumps(web))
        assert planted == [
            *("cloud-init second", "device second", "marked cloud-init second", "marked second", "shown"),
            "token second",
        ]
    failed = evidence.said["refused"].parsed()["local"].values()
    assert {answer["result"] for answer in failed} == {False}
    assert sum("client certificate: " in answer["comment"] for answer in failed) == len(remotes) * len(UNUSABLE)
    assert set(results(evidence.said["read"]).values()) == {True}
    assert [evidence.said[each].status for each in ("lxdapi.create", "lxdapi.get")] == [1, 1]


def test_shown_canary_is_found_in_all_places(evidence):
    word = evidence.canaries["shown"]
    for run in ("first", "second", "read"):
        assert word in evidence.said[run].stderr, run
    assert word in evidence.said["first"].stdout + evidence.said["read"].stdout
    assert word in "".join(message for name, message in canaries.records(evidence.log) if name not in SALTS_LOGGERS)
    assert any(word in text for path, text in evidence.files.items() if not path.endswith(".sls"))
    assert any("state.apply canaries_second" in command for command in evidence.commands)


def test_no_secret_is_printed_with_debug(evidence):
    for run, said in evidence.said.items():
        assert evidence.leaked(said.stdout + said.stderr) == [], run
        assert "(hidden)" in said.stdout + said.stderr, run


def test_no_secret_is_logged_except_by_salt_itself(evidence):
    found = {name: message for name, message in canaries.records(evidence.log) if evidence.leaked(message)}
    assert set(found) == SALTS_LOGGERS, {name: evidence.leaked(message) for name, message in found.items()}
    assert all(message.startswith("Rendered data from file: ") for message in found.values())
    assert "urllib3.connectionpool" in {name for name, _ in canaries.records(evidence.log)}


def test_no_secret_is_in_files_except_sls_copy_and_config(evidence):
    found = {path: evidence.leaked(text) for path, text in evidence.files.items() if evidence.leaked(text)}
    copies = {f"var/cache/salt/minion/files/base/canaries_{name}.sls" for name in ("first", "second", "refused")}
    # the configuration of minion and master, which the test wrote
    assert set(found) == copies | {"minion", "master"}, found
    assert found["minion"] == ["broken key", "private key"]


def test_no_secret_is_in_a_command_line(evidence):
    assert [command for command in evidence.commands if evidence.leaked(command)] == []


def test_raw_reply_masks_only_marked_values(evidence, make_salt, remotes):
    raw = make_salt("raw", lxdapi={"remotes": remotes, "sensitive": MARKED})
    said = raw.call("-m", REPO, "lxdapi.get", "profiles/web", f"remote={next(iter(remotes))}").succeeded()
    assert evidence.leaked(said.stdout) == ["cloud-init second", "token second"]


def test_no_temporary_file_is_left(evidence):
    assert evidence.temporary == []
