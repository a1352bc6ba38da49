"""
A minion without a master: ``salt-call --local`` with synced modules, or with modules of this repository.
"""

import pytest

from tests.support import flat_layout
from tests.support.salt_commands import REPO
from tests.support.web_server_life import arguments


@pytest.fixture(scope="module")
def synced(make_salt):
    """A Salt with synced modules."""
    salt = make_salt("synced")
    copied = salt.sync()
    for kind, name in (("modules", "lxdapi_image"), ("states", "lxdapi_image"), ("utils", "lxdapi.images.image")):
        assert f"{kind}.{name}" in copied[kind]
    assert sorted(copied["output"]) == ["output.lxdapi_table", "output.lxdapi_text"]
    return salt


@pytest.fixture(scope="module")
def unsynced(make_salt):
    """A Salt without synced modules."""
    return make_salt("unsynced")


@pytest.mark.mainly("incus")
def test_web_server_lives_with_synced_modules(synced, life):
    web = life(synced.applied)
    web.begins()
    web.goes_on()
    web.ends()


@pytest.mark.mainly("incus7")
def test_web_server_lives_with_modules_in_place(unsynced, life):
    web = life(unsynced.applied_in_place)
    web.begins()
    web.ends()


def test_unknown_argument_in_sls_stops_the_run(synced, daemon):
    said = synced.call(*arguments("typo", daemon.name))
    assert said.status != 0
    assert "'descripton' is an invalid keyword argument for 'lxdapi_profile.present'" in said.stderr
    profiles = daemon.ask("GET", "/1.0/profiles?recursion=1")
    assert [profile["name"] for profile in profiles] == ["default", "earlier"]


def test_output_stays_json_with_debug_on(synced, daemon):
    said = synced.call("lxdapi.get", "profile", "default", f"remote={daemon.name}", DEBUG="1")
    assert said.result()["name"] == "default"
    assert "GET http+unix://" in said.stderr
    assert "HTTP/200" in said.stderr


def test_json_export_is_an_sls_that_changes_nothing(synced, daemon, roots):
    config = {"user.braces": "{{ x }}", "user.user-data": "#cloud-config\nruncmd:\n- echo {% x %}\n"}
    daemon.ask("POST", "/1.0/profiles", {"name": "web", "config": config})
    (roots[-1] / "adopted.sls").write_text(synced.call("lxdapi.export", f"remote={daemon.name}").result())
    answers = synced.call("state.apply", "adopted").result()
    assert "web" in [answer["__id__"] for answer in answers.values()]
    assert {name: each for name, each in answers.items() if (each["result"], each["changes"]) != (True, {})} == {}


def test_a_failure_is_one_line_without_a_traceback(synced, daemon):
    said = synced.call("lxdapi.delete", "profiles/nope", f"remote={daemon.name}")
    assert said.status != 0
    assert "/1.0/profiles/nope" in said.stderr
    assert "not found" in said.stderr
    assert "Traceback" not in said.stdout + said.stderr


def test_unknown_remote_error_lists_remotes(unsynced, remotes):
    said = unsynced.call("-m", REPO, "lxdapi.server", "remote=nope")
    assert said.status != 0
    assert "unknown remote 'nope' (lxdapi:remotes)" in said.stderr
    assert ", ".join(sorted(remotes)) in said.stderr


@pytest.mark.mainly("incus")
def test_status_table_has_no_colors_in_a_pipe(synced, unsynced, daemon):
    daemon.ask("POST", "/1.0/instances", {"name": "web1", "source": {"type": "none"}})
    status = ["lxdapi.status", "state=False", f"remote={daemon.name}"]
    for said in (synced.shown(*status), unsynced.shown("-m", str(REPO), *status)):
        assert "\x1b" not in said.stdout + said.stderr and "nvalid outputter" not in said.stderr
        headline, _, head, line = said.stdout.strip().splitlines()
        assert headline.startswith(f"{daemon.server} ") and headline.endswith(": 1 instance (1 Stopped)")
        assert (head.split(), line.split()[:3]) == (["NAME", "STATUS", "TYPE", "AGE"], ["web1", "Stopped", "container"])
    assert "\x1b[0;36mNAME" in synced.shown("--force-color", *status).stdout
    picture = synced.shown("lxdapi.graph", f"remote={daemon.name}").stdout
    assert picture.startswith("flowchart LR\n") and "web1" in picture


@pytest.mark.parametrize("clean", [True, False], ids=["cleaned", "not cleaned"])
def test_the_package_does_not_mix_with_the_flat_layout_before_it(clean, make_salt, roots, flat, a_remote):
    file_roots = {"base": [str(root) for root in roots], flat_layout.SALTENV: [str(flat)]}
    salt = make_salt("flat", file_roots=file_roots, clean_dynamic_modules=clean)
    salt.call("saltutil.sync_all", f"saltenv={flat_layout.SALTENV}").succeeded()
    assert salt.call("lxdapi.server").result() == "flat"
    salt.sync()
    assert salt.call("lxdapi.list", "profile", a_remote).result() == ["default"]
    left = flat_layout.left(salt.folder / "var" / "cache" / "salt" / "minion" / "extmods")
    assert bool(left) is not clean
