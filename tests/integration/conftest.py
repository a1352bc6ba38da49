"""
Shared fixtures of the integration tests: remotes, the files behind salt://, master and minion.
"""

import shutil
from functools import lru_cache

import pytest

from tests.support import distribution

pytest.register_assert_rewrite("life", "salt_commands")

from tests.support import flat_layout  # noqa: E402
from tests.support import pip_install as installed  # noqa: E402
from tests.support import ssh_settings as ssh_target  # noqa: E402
from tests.support.python_image import python_image  # noqa: E402
from tests.support.salt_commands import REPO, SRV, Salt, this_environment  # noqa: E402
from tests.support.sshd import Sshd  # noqa: E402
from tests.support.web_server_life import Life  # noqa: E402


@pytest.fixture(scope="session")
def remotes(request, daemons):
    """The setting ``lxdapi:remotes``: each daemon under the name of its kind."""
    return {kind: {"endpoint": daemons[kind].socket} for kind in request.config.getoption("--daemon")}


@pytest.fixture(scope="session")
def a_remote(remotes):
    """One of the remotes, for tests that do not depend on the daemon."""
    return f"remote={next(iter(remotes))}"


@pytest.fixture(scope="session")
def roots(tmp_path_factory, image):
    """The folders behind ``salt://``: the repository, the SLS files of the tests, and the image."""
    folder = tmp_path_factory.mktemp("roots")
    (folder / "images").mkdir()
    shutil.copy(image, folder / "images" / "busybox.tar.gz")
    return [REPO, SRV, folder]


@pytest.fixture(scope="session")
def image_with_python(tmp_path_factory):
    """The path of an image with a Python."""
    folder = tmp_path_factory.mktemp("python")
    return python_image(folder / "python.tar.gz", folder / "store", with_salt=False)


@pytest.fixture
def python_imported(daemon, image_with_python):
    """Import the image with a Python as ``python``."""
    daemon.import_image(image_with_python, alias="python")


@pytest.fixture(scope="session")
def flat(tmp_path_factory):
    """A folder with lxdapi before the library became a package."""
    return flat_layout.write(tmp_path_factory.mktemp("flat"))


@pytest.fixture(scope="session")
def make_salt(tmp_path_factory, roots, remotes):
    """Return a function that makes a Salt with its own folder that knows the remotes."""

    def make(name, venv=None, python=None, roots=roots, environment=None, **options):
        folder = tmp_path_factory.mktemp(name)
        options.setdefault("lxdapi", {"remotes": remotes})
        return Salt(venv or this_environment(), folder, roots, python, environment, **options)

    return make


@pytest.fixture
def life(daemon, image):
    """Return a function that makes a life of the web server on the daemon, given a way to apply an SLS."""
    return lambda apply: Life(apply, daemon, image)


@pytest.fixture(scope="session")
def make_wheel(tmp_path_factory):
    """Return a function that builds the wheel of the package in a version, each only once."""
    return lru_cache(lambda version=None: distribution.build(tmp_path_factory.mktemp("built"), version)[1])


@pytest.fixture(scope="session")
def make_installed(tmp_path_factory, make_salt, make_wheel):
    """
    Return a function that makes a Salt in its own virtual environment, with the package installed by pip.

    version
        Version of the package, if not that of this repository.
    beside
        Folders of other packages that are installed with it.
    """

    def make(venv=None, version=None, beside=(), **options):
        venv = venv or this_environment()
        folder = tmp_path_factory.mktemp("installed") / "venv"
        python = installed.environment(folder, venv, make_wheel(version), *beside)
        return make_salt("beside", venv, python, **options)

    return make


@pytest.fixture(scope="session")
def make_ssh(tmp_path_factory, make_salt, make_installed, sshd, remotes, roots):
    """
    Return a function that makes a Salt of some version with a roster, set up as documented; only the target knows the
    remotes.

    way
        Source of the modules: "pip" or "checkout".
    """

    def make(version, way, venv=None, **options):
        # The checkout is not among the file_roots: it is not needed there.
        options = {"venv": venv, "lxdapi": {}, "roots": roots[1:], **ssh_target.settings(version, way), **options}
        if way == "pip":
            salt = make_installed(**options)
        else:
            salt = make_salt("checkout", environment=ssh_target.environment(), **options)
        salt.write("roster", {"target": sshd.target(tmp_path_factory.mktemp("thin"), remotes)})
        return salt

    return make


@pytest.fixture(scope="session")
def sshd(tmp_path_factory):
    """An sshd on loopback that accepts root."""
    with Sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture(scope="session")
def salt_factories_config(tmp_path_factory):
    """The folder of pytest-salt-factories; its log server listens on loopback only."""
    return {
        "code_dir": str(REPO),
        "root_dir": str(tmp_path_factory.mktemp("factories")),
        "log_server_host": "127.0.0.1",
        "inject_sitecustomize": False,
        "start_timeout": 60,
    }


@pytest.fixture(scope="session")
def master(salt_factories, roots, remotes, flat, tmp_path_factory):
    """A running master, which accepts the keys of the minions of the tests by their ids."""
    accepted = tmp_path_factory.mktemp("master") / "accepted"
    accepted.write_text("minion\nmember-*\nsoaked\n")
    options = {
        "interface": "127.0.0.1",
        "open_mode": False,
        "auto_accept": False,
        "autosign_file": str(accepted),
        "lxdapi": {"remotes": remotes},
        "file_roots": {"base": [str(root) for root in roots], flat_layout.SALTENV: [str(flat)]},
    }
    master = salt_factories.salt_master_daemon("master", overrides=options)
    with master.started():
        yield master


@pytest.fixture(scope="session")
def minion(master, roots, remotes, tmp_path_factory):
    """A running minion of the master, with the remotes."""
    options = {
        # Outside of the cache, which pytest-salt-factories empties.
        "extension_modules": str(tmp_path_factory.mktemp("minion") / "extmods"),
        "file_roots": {"base": [str(root) for root in roots]},
        "enable_fqdns_grains": False,
        "lxdapi": {"remotes": remotes},
    }
    minion = master.salt_minion_daemon("minion", overrides=options)
    with minion.started():
        yield minion
