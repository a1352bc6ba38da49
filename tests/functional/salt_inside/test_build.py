"""
Images of instances that states were applied to.
"""

import fcntl

import pytest
from lxdapi.api import API
from lxdapi.instances import plan
from lxdapi.instances.spec import InstanceSpec
from lxdapi.plan import steps
from lxdapi.salt_inside import image_build
from salt.exceptions import CommandExecutionError
from salt.utils.args import parse_input

from tests.support.cli_examples import examples, public_functions

BUILD = "lxdapi_salt.sls_build"
WEB = "/etc/web:\n  file.managed:\n    - contents: {{ grains['id'] }} {{ pillar['port'] }}\n"
BROKEN = "/nowhere/a:\n  file.managed:\n    - contents: a\n"
# The instance of the minion of the tests for the image ``golden``.
INSTANCE = image_build.instance_name("golden", ("functional", None, None))


@pytest.fixture
def build(salt, pillar, daemon, image):
    """Return the function, with states and a base image."""
    (salt.tree / "web.sls").write_text(WEB)
    (salt.tree / "broken.sls").write_text(BROKEN)
    (pillar / "top.sls").write_text("base:\n  'web-golden':\n    - port\n")
    (pillar / "port.sls").write_text("port: 80\n")
    daemon.import_image(image, alias="debian/12")
    return salt.modules[BUILD]


@pytest.fixture
def leftover(daemon):
    """Return a function that creates an instance with the name of the one for ``golden``."""

    def create(**config):
        body = {"name": INSTANCE, "source": {"type": "image", "alias": "debian/12"}, "config": config}
        daemon.ask("POST", "/1.0/instances", body)

    return create


@pytest.mark.mainly("incus")
def test_image_has_what_the_states_made_and_nothing_else(build, daemon, raw):
    ((_, *words),) = examples(public_functions("_modules")[BUILD])
    args, kwargs = parse_input(words, condition=False)
    result = build(*args, **kwargs)
    assert (result["changes"], result["comment"]) == ({"/etc/web": {"diff": "New file"}}, "1 state, 1 changed")
    assert raw("images/aliases/web-golden")["target"] == result["fingerprint"]
    assert raw("instances") == []
    daemon.ask("POST", "/1.0/instances", {"name": "w1", "source": {"type": "image", "alias": "web-golden"}})
    assert daemon.request("GET", "/1.0/instances/w1/files?path=/etc/web")[1] == b"web-golden 80\n"
    for folder in ("/var/cache/lxdapi", "/opt/lxdapi"):
        assert daemon.request("GET", f"/1.0/instances/w1/files?path={folder}")[0] == 404
    assert not {key for key in raw("instances/w1")["config"] if key.startswith("user.")}


@pytest.mark.mainly("lxd")
def test_failed_build_leaves_neither_image_nor_instance(build, raw):
    with pytest.raises(CommandExecutionError, match="image golden: 1 state, 0 changed, 1 failed: /nowhere/a: "):
        build("golden", "debian/12", "broken")
    with pytest.raises(CommandExecutionError, match="missing"):
        build("golden", "missing", "web")
    assert raw("instances") == [] and len(raw("images/aliases")) == 1


@pytest.mark.mainly("incus7")
def test_next_build_deletes_the_instance_of_a_killed_one(build, raw, daemon):
    spec = InstanceSpec.parse({"config": {image_build.KEY: "golden"}}, "debian/12", running=True)
    steps.apply(plan.plan_present(API.factory(str(daemon.socket)), INSTANCE, spec))
    assert raw(f"instances/{INSTANCE}")["status"] == "Running"
    result = build("golden", "debian/12", "web", {"port": 81}, dryrun=True)
    assert (result["fingerprint"], set(result["changes"])) == (None, {"/etc/web"})
    assert raw("instances") == [] and len(raw("images/aliases")) == 1


@pytest.mark.mainly("lxd")
@pytest.mark.parametrize("config", [{}, {image_build.KEY: "golden"}], ids=["plain", "with the key"])
def test_instance_of_somebody_else_is_not_touched(build, leftover, raw, config):
    leftover(**config)
    before = raw(f"instances/{INSTANCE}")
    with pytest.raises(CommandExecutionError, match=f"instance {INSTANCE} is not from a build of image golden"):
        build("golden", "debian/12", "web")
    assert raw(f"instances/{INSTANCE}") == before


@pytest.mark.mainly("lxd")
def test_second_build_of_an_image_at_the_same_time_is_refused(build, store, raw, proxy):
    with open(store / f"{INSTANCE}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CommandExecutionError, match="image golden: another build of it is running"):
            build("golden", "debian/12", "web")
    assert proxy.writes() == []


@pytest.mark.mainly("lxd")
@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"name": ""}, "image alias"),
        ({"mods": []}, "mods"),
        ({"base": 7}, "source"),
        ({"instance": {"nope": 1}}, "instance: unknown key nope"),
        ({"dryrun": "perhaps"}, "dryrun"),
        ({"python": "3"}, "python"),
    ],
    ids=str,
)
def test_invalid_build_is_refused_before_any_request(salt, proxy, arguments, words):
    with pytest.raises(CommandExecutionError, match=words):
        salt.modules[BUILD](**{"name": "golden", "base": "busybox", **arguments})
    assert proxy.requests() == []
