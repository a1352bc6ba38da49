"""
An instance becomes a minion of a real master: it has no network, and reaches the master through devices of the daemon.
"""

import json
import shlex
from pathlib import Path

import pytest

from tests.support import minion_package
from tests.support.documentation import code_blocks
from tests.support.images import busybox_image

PKI = "/etc/salt/pki/minion"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The path of a package of the minion."""
    return minion_package.build(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def run(master):
    """Return a function that runs a runner of the master, and returns its result and its changes."""
    command = master.salt_run_cli(timeout=180)

    def run(*words, **arguments):
        answer = command.run(*words, **arguments)
        assert "PRIVATE" not in str(answer)
        return answer.data

    synced = run("saltutil.sync_all")
    assert "runners.lxdapi" in synced["runners"] and "roster.lxdapi" in synced["roster"]
    return run


@pytest.fixture
def web1(daemon, master, tmp_path):
    """The name of a running container that can reach the master, and install a package."""
    image = busybox_image(tmp_path / "dpkg.tar.gz", programs=minion_package.PROGRAMS)
    daemon.import_image(image, alias="dpkg")
    devices = minion_package.devices(daemon, master.config["publish_port"], master.config["ret_port"])
    body = {"name": "web1", "source": {"type": "image", "alias": "dpkg"}, "devices": devices}
    daemon.ask("POST", "/1.0/instances", body)
    daemon.ask("PUT", "/1.0/instances/web1/state", {"action": "start"})
    yield "web1"
    daemon.ask("PUT", "/1.0/instances/web1/state", {"action": "stop", "force": True})
    (Path(master.config["pki_dir"]) / "minions" / "web1").unlink(missing_ok=True)


@pytest.mark.mainly("incus")
def test_instance_becomes_a_minion_of_the_master(run, master, roots, web1, daemon, package):
    config = {"master": "127.0.0.1", "master_port": master.config["ret_port"], "enable_fqdns_grains": False}
    arguments = {"package": str(package), "remote": daemon.name, "timeout": 120}
    first, *_ = shown("Make a minion", "bash", config)
    test, make, ping = (shlex.split(line)[1:] for line in first.splitlines())
    planned = run(*test, **arguments)
    assert planned["result"] is None, planned
    made = run(*make, **arguments)
    assert made["result"] is True, (made, read(daemon, "/var/log/salt/minion"))
    assert made["changes"] == planned["changes"]
    assert master.salt_cli(timeout=60).run(*ping[1:], minion_tgt=ping[0]).data is True
    (sls,) = shown("In an SLS", "yaml", config)
    (roots[-1] / "minions.sls").write_text(f"{sls}    - remote: {daemon.name}\n")
    answers = run("state.orchestrate", "minions")["data"]
    assert [(each["result"], each["changes"]) for (each,) in map(dict.values, answers.values())] == [(True, {})]
    private = read(daemon, f"{PKI}/minion.pem")
    assert b"PRIVATE KEY" in private and files_with(master, private.splitlines()[1]) == []


def shown(heading, language, config):
    """Return the blocks of the guide with this configuration instead of the address of the master."""
    text = json.dumps(config)
    blocks = code_blocks("docs/how-to/minions", heading, language)
    return [block.replace('{"master": "192.0.2.1"}', text).replace("master: 192.0.2.1", text) for block in blocks]


def read(daemon, path):
    """Return the content of a file in the instance."""
    return daemon.request("GET", f"/1.0/instances/web1/files?path={path}")[1]


def files_with(master, data):
    """Return the files of the master that contain these bytes."""
    files = [path for path in Path(master.config["root_dir"]).rglob("*") if path.is_file()]
    assert len(files) > 10
    return [path for path in files if data in path.read_bytes()]
