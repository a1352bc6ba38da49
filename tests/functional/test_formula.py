"""
The formula: its pillar.example makes a host, and its packages are those of each distribution.
"""

import re
import shutil

import pytest
import yaml

from tests.support.client_certificates import in_files
from tests.support.hand_built_host import TEXTS
from tests.support.loader import REPO, Loaded

FORMULA = REPO / "formula"
EXAMPLE = (FORMULA / "pillar.example").read_text()
BACKPORTS = "deb http://deb.debian.org/debian bookworm-backports main"
BOOKWORM, TRIXIE = ({"os": "Debian", "oscodename": name} for name in ("bookworm", "trixie"))
UBUNTU = {"os": "Ubuntu", "oscodename": "noble"}


class WithFormula(Loaded):
    """Salt with the formula, on a distribution that ``grains`` names."""

    def __init__(self, folder, remotes=()):
        self.grains = {}
        super().__init__(folder, dict(remotes), file_roots=[str(FORMULA)])
        (folder / "pillar").mkdir()
        (folder / "pillar" / "top.sls").write_text("base: {'*': [own]}")

    def opts(self, test=False):
        """Return the options of a minion on the distribution."""
        return {**super().opts(test), "grains": self.grains}

    def declare(self, text):
        """Make a text the pillar."""
        (self.folder / "pillar" / "own.sls").write_text(text)

    def compiled(self, grains=(), sls="lxdapi", **pillar):
        """Return {state function: parameters} for a pillar below ``lxdapi``, or the errors."""
        self.grains.clear()
        self.grains.update(grains)
        self.declare(yaml.safe_dump({"lxdapi": pillar}))
        chunks = self.modules["state.show_low_sls"](sls)
        if any(isinstance(each, str) for each in chunks):
            return chunks
        common = ("__", "state", "fun", "order", "name_order")
        return {
            f"{each['state']}.{each['fun']}": {key: each[key] for key in each if not key.startswith(common)}
            for each in chunks
        }


@pytest.fixture
def salt(tmp_path, proxy, image):
    """Salt with the formula, and with the image of the example."""
    salt = WithFormula(tmp_path, {"local": str(proxy.socket)})
    shutil.copy(image, salt.tree / "busybox.tar.gz")
    return salt


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Return :meth:`WithFormula.compiled` of a Salt without a daemon."""
    return WithFormula(tmp_path_factory.mktemp("formula")).compiled


def applied(salt, test=False):
    """Return {state id: (result, changes)} of the formula."""
    answers = salt.modules["state.apply"]("lxdapi", test=test)
    assert isinstance(answers, dict), answers
    return {each["__id__"]: (each["result"], each["changes"]) for each in answers.values()}


@pytest.mark.mainly("incus")
def test_example_makes_a_host_and_changes_nothing_again(salt, raw, proxy, tmp_path):
    in_files(tmp_path / "team.crt", tmp_path / "team.key")
    # the daemon of the tests runs
    salt.declare(EXAMPLE.replace("  daemon: incus", "").replace("/etc/ssl/web-team.crt", str(tmp_path / "team.crt")))
    first = applied(salt)
    assert {name: answer for name, answer in first.items() if answer[0] is not True} == {}
    assert {name for name, (_, changes) in first.items() if not changes} == {"lxdapi storage_pool default"}
    proxy.clear()
    for test in (False, True):
        assert applied(salt, test) == dict.fromkeys(first, (True, {}))
    assert proxy.writes() == []
    assert [raw(path)["status"] for path in ("instances/web1", "instances/db1?project=shop")] == ["Running"] * 2
    assert raw("profiles/default")["devices"]["eth0"]["network"] == "lxdapibr0"


@pytest.mark.mainly("lxd")
def test_values_of_the_pillar_arrive_unchanged(salt, raw):
    salt.declare("#!yaml\n" + yaml.safe_dump({"lxdapi": {"profiles": {"web": {"config": TEXTS}}}}))
    assert applied(salt) == {"lxdapi profile web": (True, {"created": "web"})}
    assert raw("profiles/web")["config"] == TEXTS


@pytest.mark.parametrize(
    "grains, program, expected",
    [
        (BOOKWORM, "lxd", {"pkg.installed": {"name": "lxd"}}),
        (
            BOOKWORM,
            "incus",
            {
                "pkgrepo.managed": {"name": BACKPORTS, "file": "/etc/apt/sources.list.d/lxdapi-backports.list"},
                "pkg.installed": {"name": "incus", "fromrepo": "bookworm-backports"},
            },
        ),
        (TRIXIE, "lxd", {"pkg.installed": {"name": "lxd"}}),
        (TRIXIE, "incus", {"pkg.installed": {"name": "incus"}}),
        (UBUNTU, "incus", {"pkg.installed": {"name": "incus"}}),
        (
            UBUNTU,
            "lxd",
            {
                "pkg.installed": {"name": "snapd"},
                "cmd.run": {"name": "snap install lxd --channel=5.21/stable", "unless": "snap list lxd"},
            },
        ),
    ],
    ids=lambda value: value.get("oscodename") if isinstance(value, dict) else value,
)
def test_daemon_comes_from_its_distribution(compiled, grains, program, expected):
    found = compiled(grains, "lxdapi.service", daemon=program)
    service = found.pop("service.running", {})
    assert found == expected
    assert (service.get("name"), service.get("enable")) == ((program, True) if "cmd.run" not in found else (None, None))


def test_pillar_replaces_package_and_repository(compiled):
    repository = {"name": "deb https://apt.example.com trixie main", "key_url": "salt://apt.example.com.asc"}
    own = {"package": {"name": "incus-base", "version": "7.0"}, "repository": repository, "service": "incus-own"}
    found = compiled(TRIXIE, "lxdapi.service", daemon="incus", incus=own)
    assert (found["pkg.installed"], found["pkgrepo.managed"]) == (own["package"], repository)
    assert found["service.running"]["name"] == "incus-own"


def test_empty_pillar_has_no_states(compiled):
    assert compiled(BOOKWORM) == {}


@pytest.mark.parametrize(
    "pillar, words",
    [
        ({"profile": {}}, "unknown key lxdapi:profile, expected one of daemon, "),
        ({"daemon": "docker"}, "expected lxd or incus for lxdapi:daemon, got docker"),
        ({"daemon": "incus"}, "the formula knows no package of incus here: declare lxdapi:incus:package"),
    ],
)
def test_formula_refuses_what_it_does_not_know(compiled, pillar, words):
    (error,) = compiled({"os": "Arch"}, "lxdapi.package", **pillar)
    assert words in error


def test_settings_of_the_states_are_beside_the_formula(compiled):
    page = (REPO / "docs/reference/settings.rst").read_text()
    known = set(yaml.safe_load((FORMULA / "lxdapi/defaults.yaml").read_text())["settings"])
    assert known == set(re.findall(r"^   \* - ``lxdapi:(\w+)``$", page, re.MULTILINE))
    assert compiled(sls="lxdapi.profiles", **dict.fromkeys(known), profiles={"web": None}) == {
        "lxdapi_profile.present": {"name": "web"}
    }
