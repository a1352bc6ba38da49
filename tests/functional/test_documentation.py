"""
The README, the tutorials and the how-to guides work, word for word: each SLS and each command, and the output that
they show.
"""

import subprocess

import pytest

from tests.support.debian_stand_in import PROGRAMS
from tests.support.images import busybox_image
from tests.support.loader import Loaded
from tests.support.walkthrough import Reader

# Packages come from Debian's servers; what they bring, the tests of the integration layer install.
PACKAGES = ("apt-get ", "echo ", "incus admin init", "python3 -m venv", "/opt/salt/bin/pip", "export PATH", "salt-pip ")
# Each has tests of its own.
ENTRY_POINTS = ("./demo", "./test")


@pytest.fixture
def salt(tmp_path, daemon):
    """Salt whose local daemon is the tested one."""
    return Loaded(tmp_path, {"local": daemon.socket})


@pytest.fixture
def reader(salt, daemon, tmp_path):
    """Somebody who reads a page, with an image that stands in for the image server's."""
    daemon.import_image(busybox_image(tmp_path / "debian.tar.gz", programs=PROGRAMS), alias="images:debian/12")
    return Reader(salt, daemon, elsewhere=PACKAGES + ENTRY_POINTS)


@pytest.fixture
def host_address():
    """The machine has the address that the pages forward."""
    subprocess.run(["ip", "address", "add", "192.0.2.10/32", "dev", "lo"], check=True)
    yield
    subprocess.run(["ip", "address", "del", "192.0.2.10/32", "dev", "lo"], check=True)


def test_readme_does_what_it_shows(reader, salt):
    reader.read("README")
    answers = salt.modules["state.apply"]("web").values()
    assert [(answer["result"], answer["changes"]) for answer in answers] == [(True, {})] * 2


@pytest.mark.mainly("incus")
def test_first_container_tutorial_does_what_it_shows(reader):
    reader.read("docs/tutorials/first-container")


@pytest.mark.mainly("incus")
def test_small_site_tutorial_does_what_it_shows(reader, host_address):
    reader.read("docs/tutorials/small-site")


@pytest.mark.mainly("incus")
def test_adoption_tutorial_does_what_it_shows(reader):
    reader.read("docs/tutorials/adopt-an-existing-host")
