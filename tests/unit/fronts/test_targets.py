"""
The executor that keeps state functions for instances away from the minion that offers them, and the proxy minion.
"""

import shutil
import subprocess
import sys

import pytest
import salt.config
import salt.loader
import salt.loader.context
import salt.utils.ctx

from tests.unit.fronts.test_outputters import REPO

ONE_PROXY = {"proxy": {"proxytype": "lxdapi"}, "id": "web1", "pillar": {}}
WEB1 = {"id": "web1", "type": "lxdapi"}
# Targets that select only the resource of the minion "host1", which is a Debian: Salt 3008 runs their states there too.
FOR_INSTANCES = [
    ("list", "web1,web2"),
    ("list", ["web1"]),
    ("grain", "os:busybox"),
    ("glob", "web1"),
    ("compound", "T@lxdapi"),
    ("compound", "T@lxdapi and G@os:Debian"),
    ("compound", "G@os:busybox"),
]
# Salt calls discover() before each job, in a process whose modules its jobs inherit.
LIVING = """
import logging, os, sys, salt.config, salt.loader
logging.disable()
opts = {{**salt.config.DEFAULT_MINION_OPTS, "module_dirs": [{folder!r}], "cachedir": {folder!r}}}
opts.update(id="host1", extension_modules="", pillar={{"resources": {{"lxdapi": {{}}}}}})
opts["lxdapi"] = {{"remotes": {{"local": "/nowhere"}}}}
def discover():
    try:
        salt.loader.resource(opts)["lxdapi.discover"](opts)
    except Exception as exc:
        assert "the socket does not exist" in str(exc), exc
    return sys.modules["lxdapi.minion.targets"]
first = discover()
assert discover() is first, "the same files are not imported again"
os.utime(first.__file__, (1, 1))
assert discover() is not first
"""
FOR_MINION = [
    ("list", "web1,host1"),
    ("grain", "os:Debian"),
    ("glob", "*"),
    ("glob", "host*"),
    ("compound", "T@lxdapi or host1"),
]
GUARDED = hasattr(salt.loader.context, "resource_ctxvar")


@pytest.fixture
def execute():
    """Return the answer of the executor for a target."""
    opts = {**salt.config.DEFAULT_MINION_OPTS, "module_dirs": [str(REPO)], "extension_modules": "", "id": "host1"}
    opts.update(grains={"os": "Debian"}, resources={"lxdapi": ["web1"]})
    guard = salt.loader.executors(opts)["lxdapi_guard.execute"]

    def execute(kind, target, resources=(WEB1,)):
        data = {"fun": "state.apply", "tgt": target, "tgt_type": kind, "resource_targets": list(resources)}
        return guard(opts, data, None, [], {})

    return execute


@pytest.mark.parametrize("kind, target", FOR_INSTANCES, ids=str)
def test_job_for_instances_does_not_run_on_the_minion(execute, kind, target):
    assert execute(kind, target) == ({} if GUARDED else None)


@pytest.mark.parametrize("kind, target", FOR_MINION, ids=str)
def test_job_for_the_minion_runs_there(execute, kind, target):
    assert execute(kind, target) is None


def test_jobs_without_resources_and_those_inside_run(execute):
    assert execute("list", "web1", resources=()) is None
    if GUARDED:
        token = salt.loader.context.resource_ctxvar.set(WEB1)
        assert execute("list", "web1") is None
        salt.loader.context.resource_ctxvar.reset(token)


def test_proxy_minion_has_no_functions_of_the_host():
    opts = {**salt.config.DEFAULT_MINION_OPTS, "module_dirs": [str(REPO)], "extension_modules": "", **ONE_PROXY}
    functions, proxy = salt.loader.minion_mods(opts), salt.loader.proxy(opts)
    assert "cmd.run" in functions
    proxy.pack["__salt__"] = functions
    proxy["lxdapi.init"](opts)
    assert proxy["lxdapi.initialized"]()
    assert "cmd.run" not in functions and "saltutil.find_job" in functions and "lxdapi_target.call" in functions
    assert "cmd.run" not in salt.loader.minion_mods(opts)
    assert opts["module_executors"] == ["lxdapi"]


if GUARDED:

    def test_guard_is_activated_for_jobs_only():
        opts = {**salt.config.DEFAULT_MINION_OPTS, "module_dirs": [str(REPO)], "extension_modules": ""}
        init = salt.loader.resource(opts)["lxdapi.init"]
        init(opts)
        assert "module_executors" not in opts, "a sync may remove the executor while the minion runs"
        with salt.utils.ctx.request_context({"data": {}, "opts": opts}):
            init(opts)
        assert opts["module_executors"] == ["lxdapi_guard", "direct_call"]

    def test_changed_library_is_imported_again_by_a_living_minion(tmp_path):
        for folder in ("_executors", "_modules", "_resources", "_utils"):
            shutil.copytree(REPO / folder, tmp_path / folder)
        program = LIVING.format(folder=str(tmp_path))
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
