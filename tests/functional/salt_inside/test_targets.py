"""
The instances that a minion offers as targets, and the one of a proxy minion.
"""

import pytest
import salt.loader as salt_loader
from salt.exceptions import CommandExecutionError
from salt.utils.args import parse_input

from tests.support.cli_examples import examples, public_functions


@pytest.fixture
def declare(salt):
    """Return a function that declares the targets of the minion in its pillar."""

    def declare(**settings):
        salt.modules.pack["__pillar__"]["resources"] = {"lxdapi": settings}
        salt.modules.pack["__context__"].pop("lxdapi:targets", None)

    return declare


@pytest.fixture
def grains(salt):
    """Return the function that returns the grains of all targets."""
    return salt.modules["lxdapi_target.grains"]


@pytest.fixture
def create(daemon, imported):
    """Return a function that creates instances, which do not run."""

    def create(*names, project="default"):
        for name in names:
            body = {"name": name, "source": {"type": "image", "alias": "busybox"}}
            daemon.ask("POST", f"/1.0/instances?project={project}", body)

    return create


@pytest.mark.mainly("lxd")
def test_grains_of_all_targets_come_from_one_list(create, declare, grains, proxy):
    create("web1", "web2", "db", "functional")
    proxy.clear()
    declare(names="web*")
    found = grains()
    assert set(found) == {"web1", "web2"} and grains() == found
    assert [path.partition("?")[0] for _, path, *_ in proxy.seen] == ["/1.0/instances"]
    web1 = found["web1"]["lxdapi"]
    assert (web1["name"], web1["status"], web1["project"], web1["remote"]) == ("web1", "Stopped", "default", "local")
    assert (web1["profiles"], web1["type"], found["web1"]["id"]) == (["default"], "container", "web1")
    declare()
    assert set(grains()) == {"web1", "web2", "db"}, "all but the one with the id of the minion"


@pytest.mark.mainly("incus")
def test_targets_of_several_projects_have_ids_of_their_own(create, declare, grains, daemon):
    config = {"features.images": "false", "features.profiles": "false"}
    daemon.ask("POST", "/1.0/projects", {"name": "shop", "config": config})
    create("web1")
    create("web1", project="shop")
    declare(projects=["default", "shop"], id="{remote}-{project}-{name}")
    assert set(grains()) == {"local-default-web1", "local-shop-web1"}
    declare(projects=["default", "shop"])
    with pytest.raises(CommandExecutionError, match="two instances have the minion id web1: add {remote} or {project}"):
        grains()


@pytest.mark.mainly("lxd")
def test_invalid_settings_of_targets_are_refused(create, declare, grains):
    create("web1")
    for key, value in [
        ("name", "web*"),
        ("id", "{title}"),
        ("id", 7),
        ("names", []),
        ("names", 7),
        ("python", "3.11"),
        ("remotes", "nowhere"),
    ]:
        declare(**{key: value})
        with pytest.raises(CommandExecutionError, match=key.rstrip("s")):
            grains()


@pytest.mark.mainly("incus")
def test_salt_inside_a_target_has_its_id_and_pillar(salt, declare, pillar, web1, create):
    create("web2")
    (pillar / "top.sls").write_text("base:\n  'local-web1':\n    - port\n")
    (pillar / "port.sls").write_text("port: 80\n")
    declare(id="{remote}-{name}")
    call, ping = salt.modules["lxdapi_target.call"], salt.modules["lxdapi_target.ping"]
    assert call("local-web1", "grains.get", "id") == "local-web1"
    assert call("local-web1", "pillar.ls") == ["port"]
    assert call("local-web1", "test.echo", None, {"text": "x"}) == "x"
    assert ping("local-web1") is True
    with pytest.raises(CommandExecutionError, match="instance web2 is Stopped: Salt runs inside running instances"):
        ping("local-web2")
    with pytest.raises(CommandExecutionError, match="no target has the minion id 'web1'"):
        ping("web1")
    declare()
    found = {name: text for name, text in public_functions("_modules").items() if name.startswith("lxdapi_target.")}
    for text in found.values():
        for function, *words in examples(text):
            args, kwargs = parse_input(words, condition=False)
            assert salt.modules[function](*args, **kwargs), function


@pytest.mark.mainly("incus")
def test_executor_of_a_proxy_minion_runs_functions_inside(salt, web1):
    opts = {**salt.opts(), "id": "shop1", "proxy": {"proxytype": "lxdapi", "instance": web1}}
    opts["pillar"] = {"role": "web", "proxy": opts["proxy"], "lxdapi": {"remotes": {}}}
    utils = salt_loader.utils(opts)
    functions = salt_loader.minion_mods(opts, utils=utils, context={})
    execute = salt_loader.executors(opts, functions=functions)["lxdapi.execute"]

    def run(name, *arg):
        known = functions[name] if name in functions else name
        facts = {"__pub_fun": name} if name == "cmd.run" else {}
        return execute(opts, {"fun": name, "arg": list(arg)}, known, list(arg), facts)

    assert run("test.ping") is True and run("cmd.run", "hostname") == web1
    assert run("grains.get", "id") == "shop1" and run("pillar.ls") == ["role"]
    assert "is not available" in str(pytest.raises(CommandExecutionError, run, "nope.nope", "a=b").value)
    assert run("saltutil.is_running", "state.*") == []
    functions.pack["__context__"].clear()  # ends Salt inside
