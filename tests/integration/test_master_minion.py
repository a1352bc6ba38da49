"""
A real master and a real minion: modules synced from the master, states applied by ``salt``.
"""

import json
from pathlib import Path

import pytest
from salt.utils.event import get_event as salt_events
from salt.version import __version__ as SALT

from tests.support import canaries, flat_layout
from tests.support.daemons import until
from tests.support.salt_commands import run, this_environment
from tests.support.salt_daemons import parse_answers
from tests.support.web_server_life import arguments

# Requests that a program inside can make; the text names no file.
SPY = """#!py
import json
from salt.pillar import get_pillar

def run():
    pillars = [get_pillar(__opts__, __grains__, id, "base") for id in ("c1", "c2", "minion")]
    found = {
        "pillars": [each.compile_pillar() for each in pillars],
        "file": __salt__["cp.get_file_str"]("salt:" + "//secret.txt"),
        "list": __salt__["cp.list_master"](),
        "states": __salt__["cp.list_states"](),
        "mine": __salt__["mine.get"]("*", "test.ping"),
        "publish": __salt__["publish.publish"]("*", "pillar.items"),
    }
    return {"/etc/spied": {"file.managed": [{"contents": json.dumps(found)}]}}
"""


@pytest.fixture(scope="module")
def salt(master, minion):
    """Run ``salt minion ...`` and return the answer of the minion."""
    command = master.salt_cli(timeout=180)

    def run(*words):
        answer = command.run(*words, minion_tgt=minion.id)
        assert answer.returncode == 0, answer
        return answer.data

    copied = run("saltutil.sync_all")
    for kind, name in (
        ("modules", "lxdapi_image"),
        ("states", "lxdapi_image"),
        ("utils", "lxdapi.images.image"),
        ("executors", "lxdapi_guard"),
    ):
        assert f"{kind}.{name}" in copied[kind]
    return run


@pytest.mark.mainly("incus")
def test_a_web_server_lives_as_declared_through_the_master(salt, life):
    web = life(lambda sls, remote, **more: salt(*arguments(sls, remote, **more)))
    web.begins()
    web.goes_on()
    web.ends()


def test_functions_answer_through_the_master(salt, daemon, imported):
    server = salt("lxdapi.server", f"remote={daemon.name}")
    assert server["server"] == daemon.server
    assert salt("lxdapi.list", "image", f"remote={daemon.name}") == [imported]


def test_a_minion_that_salt_call_asks_finds_the_synced_modules(salt, minion, daemon):
    answer = minion.salt_call_cli(timeout=180).run("lxdapi.list", "profile", f"remote={daemon.name}")
    assert answer.data == ["default"], answer


@pytest.fixture
def instance_pillar(salt, master):
    """A pillar of the minion with a secret of its own, and with those of the instances c1 and c2."""
    pillar = master.pillar_tree.base
    instances = {"c1": {"role": "web"}, "c2": {"token": "Hidden-2"}}
    own = {"own": "Hidden-1", "lxdapi": {"instance_pillar": instances}}
    with pillar.temp_file("top.sls", "base:\n  '*':\n    - own\n"), pillar.temp_file("own.sls", json.dumps(own)):
        salt("saltutil.refresh_pillar", "wait=True")
        yield
    salt("saltutil.refresh_pillar", "wait=True")


@pytest.fixture
def c1(daemon, imported):
    """The name of a running container."""
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "busybox"}})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
    return "c1"


@pytest.mark.mainly("incus7")
def test_salt_inside_has_files_of_the_master_and_its_pillar(salt, instance_pillar, roots, daemon, c1):
    content = "{{ pillar['role'] }} of {{ grains['id'] }} with {{ pillar['own'] | default('nothing') }} else"
    (roots[-1] / "role.sls").write_text(f"/etc/role:\n  file.managed:\n    - contents: {content}\n")
    (applied,) = salt("lxdapi_salt.apply", "c1", "role", f"remote={daemon.name}").values()
    assert (applied["result"], applied["changes"]) == (True, {"diff": "New file"}), applied
    found = salt("lxdapi_instance.run", "c1", "cat /etc/role", f"remote={daemon.name}")
    assert found == "web of c1 with nothing else"
    assert daemon.ask("GET", "/1.0/instances/c1")["devices"] == {}


@pytest.mark.mainly("incus")
def test_sealed_instance_reaches_no_file_or_pillar_of_others(salt, instance_pillar, roots, daemon, c1):
    (roots[-1] / "spy.sls").write_text(SPY)
    (roots[-1] / "secret.txt").write_text("Hidden-3")
    spied = []
    for sealed in (True, False):
        (applied,) = salt("lxdapi_salt.apply", c1, "spy", f"sealed={sealed}", f"remote={daemon.name}").values()
        assert applied["result"] is True, applied
        spied.append(json.loads(salt("lxdapi_instance.run", c1, "cat /etc/spied", f"remote={daemon.name}")))
    for pillars in (each.pop("pillars") for each in spied):
        assert pillars == [{"role": "web"}] * 3
    assert spied[0] == {"file": False, "list": ["spy.sls"], "states": ["spy"], "mine": {}, "publish": {}}
    assert spied[1]["file"] == "Hidden-3" and "secret.txt" in spied[1]["list"] and len(spied[1]["states"]) > 1


if SALT.startswith("3008."):

    @pytest.fixture
    def ask(salt, master):
        """Run ``salt`` with any words and return {id: answer}."""
        command = [this_environment() / "bin" / "salt", "-c", master.config_dir, "--out", "json", "-t", "60"]
        return lambda *words: parse_answers(run([*command, *words], 180).stdout)

    @pytest.fixture
    def targets(salt, ask, master, daemon, imported):
        """The running instance c1 and the stopped instance c2 as resources of the minion."""
        for name in ("c1", "c2"):
            daemon.ask("POST", "/1.0/instances", {"name": name, "source": {"type": "image", "alias": "busybox"}})
        daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "start"})
        settings = {"resources": {"lxdapi": {"remotes": daemon.name, "names": ["c1", "c2"]}}}
        own = {**settings, "lxdapi": {"instance_pillar": {"c1": {"role": "web"}}}}
        pillar = master.pillar_tree.base
        with pillar.temp_file("top.sls", "base:\n  '*':\n    - own\n"), pillar.temp_file("own.sls", json.dumps(own)):
            salt("saltutil.refresh_pillar", "wait=True")
            assert until(lambda: set(ask("-C", "T@lxdapi", "test.ping")) == {"c1", "c2"}, 60)
            yield
        salt("saltutil.refresh_pillar", "wait=True")

    @pytest.mark.mainly("incus7")
    def test_instances_are_targets_and_their_jobs_stay_inside(targets, ask, roots, tmp_path):
        content = "{{ pillar['role'] }} {{ grains['id'] }} {{ salt['cmd.run']('hostname') }}"
        path = tmp_path / "target"
        state = f"{path}:\n  file.managed:\n    - makedirs: true\n    - contents: {content}\n"
        (roots[-1] / "target.sls").write_text(state)
        (predicted,) = ask("c1", "state.apply", "target", "test=True")["c1"].values()
        assert (predicted["result"], predicted["changes"]["newfile"]) == (None, str(path)), predicted
        for target in (["--static", "-L", "c1,c2"], ["-G", "lxdapi:image:os:busybox"]):
            answers = ask(*target, "state.apply", "target")
            assert set(answers) == {"c1", "c2"} and "instance c2 is Stopped" in str(answers["c2"]), answers
            assert [each["result"] for each in answers["c1"].values()] == [True], answers
        assert not path.exists(), "the minion applied nothing to its own machine"
        assert ask("c1", "cmd.run", f"cat {path}") == {"c1": "web c1 c1"}
        assert "Function 'pkg.owner' is not supported" in ask("c1", "pkg.owner", "/bin/sh")["c1"]


@pytest.mark.mainly("lxd")
def test_sync_replaces_flat_layout_by_package(salt, minion, daemon):
    salt("saltutil.sync_all", f"saltenv={flat_layout.SALTENV}")
    assert salt("lxdapi.server") == "flat" and flat_layout.left(minion.config["extension_modules"])
    salt("saltutil.sync_all")
    assert salt("lxdapi.server", f"remote={daemon.name}")["server"] == daemon.server
    assert flat_layout.left(minion.config["extension_modules"]) == set()


def answered(bus, sls):
    """Return the events up to the minion's answer to a run of this SLS."""
    events = []
    while not events or "/ret/" not in events[-1]["tag"] or sls not in events[-1]["data"]["fun_args"]:
        events.append(bus.get_event(wait=30, full=True) or pytest.fail("no answer on the bus"))
    return events


def test_secrets_are_not_on_event_bus_or_in_job_cache(salt, master, roots, remotes, daemons):
    planted, kind, seen = canaries.Canaries(), next(iter(remotes)), []
    with salt_events("master", opts=dict(master.config), listen=True) as bus:
        for turn in ("first", "second"):
            (roots[-1] / f"bus_{turn}.sls").write_text(json.dumps(canaries.profile(planted, kind, turn)))
            assert [each["result"] for each in salt("state.apply", f"bus_{turn}").values()] == [True]
            seen += answered(bus, f"bus_{turn}")
    daemons[kind].wipe()
    jobs = canaries.left(Path(master.config["cachedir"]) / "jobs").values()
    for texts in (map(str, seen), jobs):
        assert {what for text in texts for what in planted.found(text)} == {"shown"}


def test_progress_events_are_sent_if_enabled(salt, master, roots, daemon, imported):
    state = {"lxdapi_instance.present": [{"source": "busybox"}, {"remote": daemon.name}]}
    (roots[-1] / "told.sls").write_text(json.dumps({"told1": state}))
    with salt_events("master", opts=dict(master.config), listen=True) as bus:
        salt("state.apply", "told", 'pillar={"lxdapi": {"progress_events": true}}')
        events = answered(bus, "told")
    told = [each for each in events if each["tag"].startswith(f"lxdapi/{daemon.name}/operation/")]
    assert told and all(each["tag"].endswith("/progress") for each in told)
    assert "Unpack" in told[-1]["data"]["data"]["text"], told[-1]
