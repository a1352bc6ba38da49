"""
The README, the tutorials and the how-to guides work, word for word: each SLS and each command, and the output that
they show.
"""

import subprocess

import pytest
import salt.utils.yaml as salt_yaml

from tests.support.debian_stand_in import PROGRAMS
from tests.support.documentation import code_blocks
from tests.support.images import busybox_image
from tests.support.loader import Loaded
from tests.support.walkthrough import Reader

# Commands that install packages. Only the integration tests install some.
PACKAGES = (
    "apt-get ",
    "cd ",
    "echo ",
    "incus admin init",
    "python3 -m venv",
    "/opt/salt/bin/pip",
    "export ",
    "salt-pip ",
)
# Master and salt-ssh are those of the integration layer.
MASTER = ("salt '*' ", "PYTHONPATH=")
# Each has tests of its own.
ENTRY_POINTS = ("./demo", "./test")
IMAGE = "images:debian/12"


@pytest.fixture
def salt(tmp_path, daemon):
    """Salt whose local daemon is the tested one."""
    return Loaded(tmp_path, {"local": daemon.socket})


@pytest.fixture
def image(tmp_path):
    """The path of an image that stands in for the image server's."""
    return busybox_image(tmp_path / "debian.tar.gz", programs=PROGRAMS)


@pytest.fixture
def reader(salt, daemon, image):
    """A reader of pages on a daemon that has the image of the image server."""
    daemon.import_image(image, alias=IMAGE)
    return Reader(salt, daemon, elsewhere=PACKAGES + ENTRY_POINTS + MASTER)


@pytest.fixture
def host_address():
    """Give the machine the address that the pages forward."""
    subprocess.run(["ip", "address", "add", "192.0.2.10/32", "dev", "lo"], check=True)
    yield
    subprocess.run(["ip", "address", "del", "192.0.2.10/32", "dev", "lo"], check=True)


def test_readme_does_what_it_shows(reader, salt):
    reader.read("README")
    assert outcomes(salt.modules["state.apply"]("web")) == [(True, {})] * 2


@pytest.mark.mainly("incus")
def test_first_container_tutorial_does_what_it_shows(reader):
    reader.read("docs/tutorials/first-container")


@pytest.mark.mainly("incus")
def test_small_site_tutorial_does_what_it_shows(reader, host_address):
    reader.read("docs/tutorials/small-site")


@pytest.mark.mainly("incus")
def test_adoption_tutorial_does_what_it_shows(reader):
    reader.read("docs/tutorials/adopt-an-existing-host")


@pytest.mark.mainly("incus")
@pytest.mark.parametrize("page", ["install", "salt-ssh", "commands", "fleets"])
def test_guide_does_what_it_shows(reader, page):
    reader.read(f"docs/how-to/{page}")


@pytest.mark.mainly("incus")
def test_guide_to_files_does_what_it_shows(salt, daemon, image, tmp_path):
    make_instance(daemon, image)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "site.conf").write_text("listen 80;\n")
    reader = Reader(salt, daemon, {"/srv/files/": f"{tmp_path}/files/", "/srv/logs/": f"{tmp_path}/"})
    reader.read("docs/how-to/files")


@pytest.mark.mainly("incus")
def test_guide_to_secrets_does_what_it_shows(salt, daemon, imported):
    (shown,) = code_blocks("docs/how-to/secrets", "Mark more keys in one state", "yaml+jinja")
    (salt.tree / "web.sls").write_text(shown)
    pillar = {"db_login": "Hidden-1", "user_data": "#cloud-config\nruncmd: [Hidden-2]\n"}
    reader = Reader(salt, daemon, elsewhere=["salt-call state.apply web"], pillar=pillar)
    reader.read("docs/how-to/secrets")
    pillar = {"db_login": "Hidden-3", "user_data": "Hidden-4"}
    (answer,) = salt.modules["state.apply"]("web", test=True, pillar=pillar).values()
    assert answer["result"] is None and "Hidden" not in str(answer)
    assert answer["changes"]["config"]["user.db_login"] == {"old": "(hidden)", "new": "(hidden)"}


@pytest.mark.mainly("incus")
def test_guide_to_command_line_does_what_it_shows(salt, daemon, image, https):
    make_instance(daemon, image)
    daemon.ask("PUT", "/1.0/instances/web1/state", {"action": "start"})
    daemon.ask("POST", "/1.0/profiles", {"name": "web"})
    daemon.ask("POST", "/1.0/storage-pools/default/volumes/custom", {"name": "data"})
    (salt.tree / "host.sls").write_text("web1:\n  lxdapi_instance.present\n")
    other = busybox_image(salt.tree / "other.tar.gz", files=1)
    Reader(salt, daemon, {"/srv/images/busybox.tar.gz": str(other)}).read("docs/how-to/command-line")


@pytest.mark.mainly("incus")
def test_guide_to_remotes_does_what_it_shows(daemon, https, tmp_path):
    page = "docs/how-to/remotes-and-trust"
    (settings,) = code_blocks(page, "Define remotes", "yaml")
    places = {"/var/lib/incus/unix.socket": daemon.socket, "https://incus.example.com:8443": https}
    for shown, here in {**places, "/etc/salt": str(tmp_path)}.items():
        settings = settings.replace(shown, here)
    daemon.ask("POST", "/1.0/projects", {"name": "web"})
    salt = Loaded(tmp_path, salt_yaml.safe_load(settings)["lxdapi"]["remotes"])
    token = salt.modules["lxdapi_trust.token_create"]("web2")
    reader = Reader(salt, daemon, {"__slot__:salt:config.get(far_token)": token})
    reader.read(page)
    assert outcomes(salt.modules["state.apply"]("trust")) == [(True, {})]
    assert [each["name"] for each in daemon.ask("GET", "/1.0/certificates?recursion=1")] == ["web2"]


def outcomes(answers):
    """Return (result, changes) of each state."""
    return [(answer["result"], answer["changes"]) for answer in answers.values()]


def make_instance(daemon, image):
    """Create the stopped instance web1."""
    fingerprint = daemon.import_image(image)
    daemon.ask("POST", "/1.0/instances", {"name": "web1", "source": {"type": "image", "fingerprint": fingerprint}})
