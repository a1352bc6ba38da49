"""
The source distribution, the wheel and their metadata, as a package index and pip get them.
"""

import os
import tarfile
import zipfile
from email import message_from_bytes
from importlib.util import find_spec
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest
from lxdapi.version import VERSION

from tests.support import distribution

REPO = distribution.REPO
FOLDERS = ("executors", "modules", "output", "proxy", "resources", "roster", "runners", "states")
WHEEL = {"_utils/lxdapi": "lxdapi", **{f"_{name}": f"lxdapi/{name}" for name in FOLDERS}}

FRONTS = ("lxdapi/modules/", "lxdapi/states/")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The source distribution and the wheel built from it."""
    return distribution.build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def metadata(built):
    """The metadata of the wheel."""
    with zipfile.ZipFile(built[1]) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(wheel.read(name))


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Return the paths of the files of the repository."""
    folder = tmp_path_factory.mktemp("sources") / "copy"
    distribution.copy_sources(folder)
    return {path.relative_to(folder).as_posix() for path in folder.glob("**/*") if path.is_file()}


def test_source_distribution_holds_every_file(built, sources):
    with tarfile.open(built[0]) as archive:
        held = {each.name.partition("/")[2] for each in archive.getmembers() if each.isfile()}
    made = {name for name in held if name in ("PKG-INFO", "setup.cfg") or ".egg-info/" in name}
    assert held - made == sources - {"setup.cfg"}
    assert {"CHANGELOG.rst", "docs/index.rst", "bench/run", "examples/web.sls", "scripts/common.sh", "test"} <= held


def test_wheel_holds_every_file_that_salt_loads(built, sources):
    expected = {
        target + name[len(folder) :]
        for folder, target in WHEEL.items()
        for name in sources
        if name.startswith(f"{folder}/")
    }
    with zipfile.ZipFile(built[1]) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == expected and "lxdapi/states/lxdapi_profile.py" in held


def test_wheel_does_not_replace_modules_of_salt(built):
    with zipfile.ZipFile(built[1]) as wheel:
        fronts = {name.rpartition("/")[2] for name in wheel.namelist() if name.startswith(FRONTS)}
    dropin = {path.name for path in (REPO / "dropin").glob("_*/*.py")}
    assert {"lxd.py", "lxd_image.py"} <= dropin and fronts.isdisjoint(dropin)


def test_drop_in_has_the_version_of_lxdapi():
    text = (REPO / "dropin" / "setup.cfg").read_text(encoding="utf-8")
    assert f"\nversion = {VERSION}\n" in text and f"\n    saltext.lxdapi == {VERSION}\n" in text


def test_metadata_shows_name_author_and_license(metadata):
    assert (metadata["Name"], metadata["Version"]) == ("saltext.lxdapi", VERSION)
    assert (metadata["Author"], metadata["License"]) == ("lxdapi contributors", "Apache-2.0")
    assert {"requests", "requests-unixsocket>=0.4", "salt>=3006", "websocket-client"} == {
        each for each in metadata.get_all("Requires-Dist") if "extra ==" not in each
    }
    assert metadata.get_payload().lstrip().startswith("======\nlxdapi\n======")


def test_twine_finds_nothing_wrong(built):
    # Salt pins packaging to 24.0, which does not know the field License-File; setuptools has a newer one.
    newer = Path(find_spec("setuptools").origin).parent / "_vendor"
    distribution.run("twine", "check", "--strict", *built, **{**os.environ, "PYTHONPATH": str(newer)})


def test_readme_is_one_page():
    assert len((REPO / "README.rst").read_text(encoding="utf-8").splitlines()) <= 120


def test_the_readme_needs_no_file_beside_it():
    text = (REPO / "README.rst").read_text(encoding="utf-8")
    document = docutils.core.publish_doctree(text, settings_overrides={"halt_level": 2})
    links = [node["refuri"] for node in document.findall(docutils.nodes.reference) if "refuri" in node]
    assert [link for link in links if "://" not in link] == []
    assert list(document.findall(docutils.nodes.image)) == []
