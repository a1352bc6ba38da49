"""
A few tests with each other version of Salt: synced without a master, by salt-ssh, and a proxy minion.

LXDAPI_SALT_VENVS contains the environments that ./test makes: ``3006.28=/path/to/venv,3007.15=/path/to/venv``.
"""

import json
from tempfile import TemporaryDirectory

import pytest

from tests.support.salt_commands import VARIABLE, VENVS
from tests.support.salt_daemons import SaltDaemons
from tests.support.ssh_instances import SshGuide
from tests.support.web_server_life import by_id, prove_single_calls

pytestmark = pytest.mark.salt_versions


@pytest.fixture(scope="module", params=list(VENVS) or [None], ids=lambda version: version or "none")
def version(request):
    """A version of Salt in LXDAPI_SALT_VENVS."""
    if request.param is None:
        pytest.fail(f"{VARIABLE} is not set; run ./test, or leave them out with -m 'not salt_versions'")
    return request.param


@pytest.fixture(scope="module")
def synced(version, make_salt):
    """A Salt of this version with synced modules."""
    salt = make_salt(f"synced-{version}", VENVS[version])
    assert salt.call("test.version").result() == version
    salt.sync()
    return salt


WAYS = [
    pytest.param("pip", marks=pytest.mark.mainly("lxd")),
    pytest.param("checkout", marks=pytest.mark.mainly("incus7")),
]


@pytest.fixture(scope="module", params=WAYS)
def by_ssh(request, version, make_ssh):
    """A Salt of this version, set up for salt-ssh in one of the two ways."""
    return make_ssh(version, request.param, VENVS[version])


@pytest.mark.mainly("incus")
def test_a_web_server_lives_as_declared_with_another_salt(synced, life):
    web = life(synced.applied)
    web.begins()
    web.ends()


def test_conditions_are_checked_inside_with_another_salt(synced, roots, daemons, image, remotes):
    daemon = daemons[next(iter(remotes))]
    daemon.import_image(image, alias="busybox")
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    declared = [{"instance": "c1"}, {"remote": daemon.name}]
    states = {
        "true": {"lxdapi_instance.cmd_run": [*declared, {"creates": str(roots[-1])}]},
        "false": {"lxdapi_instance.cmd_run": [*declared, {"unless": "test -e /etc/passwd"}, {"creates": "/none"}]},
        "c1": {"lxdapi_instance.stopped": [{"remote": daemon.name}, {"unless": f"test -e {roots[-1]}"}]},
    }
    (roots[-1] / "conditions.sls").write_text(json.dumps(states))
    try:
        answers = by_id(synced.call("state.apply", "conditions").result())
    finally:
        daemon.wipe()
    assert {name: each["result"] for name, each in answers.items()} == dict.fromkeys(states, True), answers
    assert [name for name, each in answers.items() if each["changes"]] == ["true"], answers


@pytest.mark.mainly("lxd")
def test_another_salt_runs_inside_an_instance(synced, version, roots, daemon, imported):
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    content = "{{ salt['test.version']() }} of {{ grains['id'] }}"
    (roots[-1] / "version.sls").write_text(f"/etc/version:\n  file.managed:\n    - contents: {content}\n")
    states = {"c1": {"lxdapi_salt.applied": [{"mods": "version"}, {"remote": daemon.name}]}}
    (roots[-1] / "inside.sls").write_text(json.dumps(states))
    for test in ("True", "False", "False"):
        applied = by_id(synced.call("state.apply", "inside", f"test={test}").result())["c1"]
        expected = {"True": None, "False": True}[test]
        assert applied["result"] is expected, applied
    assert applied["changes"] == {}
    found = synced.call("lxdapi_salt.call", "c1", "cmd.run", "cat /etc/version", f"remote={daemon.name}")
    assert found.result() == f"{version} of c1"
    assert daemon.ask("GET", "/1.0/instances/c1")["devices"] == {}


@pytest.fixture
def proxy_minion(synced, version, remotes, roots, daemon, imported):
    """A master of this version with the proxy minion "web1" for the instance c1."""
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    pillar = {"proxy": {"proxytype": "lxdapi", "instance": "c1", "remote": daemon.name}, "role": "web"}
    # the path of a folder of pytest is too long for a socket
    with TemporaryDirectory(prefix="lx", dir="/tmp") as folder, SaltDaemons(VENVS[version], folder, roots) as salt:
        salt.write_pillar(web1={**pillar, "lxdapi": {"remotes": remotes}})
        salt.share(synced.folder, "web1")
        salt.start_proxy("web1")
        yield salt


# The proxy minions of Salt 3008.3, of any type, get no answer from their master.
PROXIED = [each for each in VENVS if not each.startswith("3008.")] or [None]


@pytest.mark.long  # a master and a proxy minion start slowly
@pytest.mark.parametrize("version", PROXIED, indirect=True, ids=str)
def test_jobs_of_a_proxy_minion_stay_inside_its_instance(proxy_minion, roots, tmp_path):
    ask, path = proxy_minion.salt, tmp_path / "target"
    assert ask("web1", "test.ping") == ({"web1": True}, 0)
    content = (
        "{{ pillar['role'] }} {{ grains['id'] }} {{ salt['cmd.run']('hostname') }} {{ pillar['lxdapi'] | default }}"
    )
    state = f"{path}:\n  file.managed:\n    - makedirs: true\n    - contents: {content}\n"
    (roots[-1] / "proxied.sls").write_text(state)
    (applied,) = ask("web1", "state.apply", "proxied")[0]["web1"].values()
    assert (applied["result"], applied["changes"]) == (True, {"diff": "New file"}), applied
    assert not path.exists()
    assert ask("kernel:Linux", "cmd.run", f"cat {path}; exit 3", kind=["-G"]) == ({"web1": "web web1 c1"}, 1)
    answers, _ = ask("web1", "cmd.run,cmd.run", f"touch {path},hostname")
    assert not path.exists() and answers in ({}, {"web1": {}}), answers


def test_web_server_is_created_by_another_salt_ssh(by_ssh, life):
    assert set(life(by_ssh.applied_by_ssh).changes("web")) == {"busybox", "web", "web1"}


def test_single_calls_work_by_another_salt_ssh(by_ssh, daemon):
    prove_single_calls(by_ssh, daemon)


@pytest.mark.long
def test_instances_are_targets_of_another_salt_ssh(by_ssh, daemon, python_imported, roots, tmp_path):
    SshGuide(by_ssh, daemon, roots[1:], tmp_path).follow()
