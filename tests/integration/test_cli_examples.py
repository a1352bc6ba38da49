"""
Every CLI Example of the modules' docstrings is run as it stands, on objects of those very names.

Only what nobody can know beforehand is put in its place: the image's path and fingerprint, an
operation's id.
"""

import re

import pytest
import salt.client
import salt.config
import salt.payload
from cli_examples import examples, public_functions
from salt_commands import REPO, Salt, this_environment

FUNCTIONS = public_functions(REPO / "_modules")
EXAMPLES = {" ".join(words): words for docstring in FUNCTIONS.values() for words in examples(docstring)}
# What has to be there, by function; the others need nothing.
NEEDS = {
    "lxdapi.get": ["stopped"],
    "lxdapi.list": ["stopped"],
    "lxdapi.put": ["profile"],
    "lxdapi.patch": ["profile"],
    "lxdapi.delete": ["profile", "stopped"],
    "lxdapi.update": ["profile"],
    "lxdapi.rename": ["profile"],
    "lxdapi.effective": ["stopped"],
    "lxdapi_image.delete": ["image"],
    "lxdapi_image.alias_set": ["image without alias"],
    "lxdapi_image.alias_delete": ["image"],
    "lxdapi_instance.start": ["stopped"],
    "lxdapi_instance.stop": ["running"],
    "lxdapi_instance.restart": ["running"],
    "lxdapi_instance.freeze": ["running"],
    "lxdapi_instance.unfreeze": ["frozen"],
    "lxdapi_instance.delete": ["running"],
}


def in_cluster(example):
    """Return True for an example that only a server in a cluster can run, or one that is to be in one."""
    return example.startswith(("lxdapi_cluster.", "lxdapi_instance.move "))


@pytest.fixture(scope="module")
def callers(daemons, roots, tmp_path_factory):
    """Salt's own in-process ``salt-call``, with the daemon of each kind as the local one."""
    made = {}

    def caller(kind):
        if kind not in made:
            local = {"remotes": {"local": {"endpoint": daemons[kind].socket}}}
            folder = tmp_path_factory.mktemp("caller")
            Salt(this_environment(), folder, roots, lxdapi=local, module_dirs=[str(REPO)])
            options = salt.config.minion_config(str(folder / "minion"))
            made[kind] = salt.client.Caller(mopts=options)
        return made[kind]

    return caller


class Prepared:
    """The objects of the examples, made past the code under test."""

    def __init__(self, daemon, image):
        self._daemon, self._file = daemon, image
        self.fingerprint = "0" * 64

    def make(self, thing):
        """The thing is there, and what it is made of."""
        getattr(self, f"_{thing.replace(' ', '_')}")()

    def operation(self):
        """Return the path of an operation that was just started."""
        _, reply = self._daemon.request("POST", "/1.0/instances", {"name": "web1", "source": {"type": "none"}})
        return reply["operation"]

    def _profile(self):
        self._daemon.ask("POST", "/1.0/profiles", {"name": "web", "config": {"limits.cpu": "4"}})

    def _image(self):
        self.fingerprint = self._daemon.import_image(self._file, alias="busybox")

    def _image_without_alias(self):
        self.fingerprint = self._daemon.import_image(self._file)

    def _stopped(self):
        self._image()
        body = {"name": "web1", "source": {"type": "image", "alias": "busybox"}}
        self._daemon.ask("POST", "/1.0/instances", body)

    def _running(self):
        self._stopped()
        self._act("start")

    def _frozen(self):
        self._running()
        self._act("freeze")

    def _act(self, action):
        self._daemon.ask("PUT", "/1.0/instances/web1/state", {"action": action, "timeout": 30})


def filled(words, prepared, image):
    """Return the words of an example with what nobody can know beforehand."""
    words = [word.replace("/srv/images/busybox.tar.gz", str(image)) for word in words]
    words = [re.sub(r"^[0-9a-f]{64}$", prepared.fingerprint, word) for word in words]
    return [prepared.operation() if "/operations/" in word else word for word in words]


def test_every_function_has_an_example_that_calls_it():
    for function, docstring in FUNCTIONS.items():
        assert function in [words[0] for words in examples(docstring)], function


@pytest.mark.parametrize("example", [each for each in EXAMPLES if not in_cluster(each)])
def test_the_example_runs_and_its_result_survives_the_way_to_the_master(example, callers, daemon, image):
    words, prepared = EXAMPLES[example], Prepared(daemon, image)
    for thing in NEEDS.get(words[0], []):
        prepared.make(thing)
    result = callers(daemon.name).function(*filled(words, prepared, image))
    # Each example either answers something or changes something, and says so.
    assert result
    assert salt.payload.loads(salt.payload.dumps(result)) == result
