"""
Fixtures for Salt inside instances: one with its own Python, one without, and what the minion keeps for them.
"""

import pytest

from tests.support.loader import Loaded
from tests.support.python_image import python_image

SESSIONS = "lxdapi:salt_inside:"


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """The folder with the archive of Salt and the carried Python, shared by the tests."""
    return tmp_path_factory.mktemp("inside")


@pytest.fixture
def salt_folder(tmp_path, store):
    """The folder of a minion that finds what the minion of another test has built for instances."""
    cache = tmp_path / "cache" / "lxdapi"
    cache.mkdir(parents=True)
    (cache / "inside").symlink_to(store)
    return tmp_path


@pytest.fixture
def pillar(tmp_path):
    """The folder of the pillar files."""
    folder = tmp_path / "pillar"
    folder.mkdir()
    return folder


@pytest.fixture
def salt(salt_folder, pillar, proxy):
    """Salt's modules and states with a pillar; their daemon is the tested one behind the proxy."""
    loaded = Loaded(salt_folder, {"local": {"endpoint": str(proxy.socket)}})
    yield loaded
    end_process(loaded)


def end_process(loaded):
    """End the sessions with instances, as the end of a process does."""
    context = loaded.modules.pack["__context__"]
    for key in [key for key in context if str(key).startswith(SESSIONS)]:
        del context[key]


@pytest.fixture
def ended(salt):
    """Return a function that ends the sessions with instances, as the end of a process does."""
    return lambda: end_process(salt)


@pytest.fixture
def call(salt):
    """Return a function that calls a function of ``lxdapi_salt``."""
    return lambda function, /, *args, **kwargs: salt.modules[f"lxdapi_salt.{function}"](*args, **kwargs)


@pytest.fixture(scope="session")
def image_with_python(store, tmp_path_factory):
    """The path of an image with a Python and with Salt."""
    return python_image(tmp_path_factory.mktemp("image") / "python.tar.gz", store)


def start(daemon, image, name):
    """Start a new container of an image and return its name."""
    daemon.import_image(image, alias="python")
    daemon.ask("POST", "/1.0/instances", {"name": name, "source": {"type": "image", "alias": "python"}})
    daemon.ask("PUT", f"/1.0/instances/{name}/state", {"action": "start"})
    return name


@pytest.fixture
def p1(daemon, image_with_python):
    """The name of a running container with a Python."""
    return start(daemon, image_with_python, "p1")


@pytest.fixture
def web1(daemon, image_with_python):
    """The same with the name that the documentation uses."""
    return start(daemon, image_with_python, "web1")


@pytest.fixture
def running(inside):
    """Return a function that returns whether Salt, or another program, runs in an instance."""
    return lambda name, program="lxdapi": program in inside(name, "ps | grep -v grep")
