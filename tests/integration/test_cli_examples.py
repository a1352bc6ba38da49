"""
Every CLI Example of the modules' docstrings is run verbatim, on objects with the names in the example.

Only values that are unknown in advance are replaced: the image's path and fingerprint, the id of an operation, a token,
the folder of keys.
"""

import base64
import io
import json
import re
import socket
from pathlib import Path

import pytest
import salt.client
import salt.config
import salt.payload
from lxdapi.trust import keypair
from salt.exceptions import CommandExecutionError

from tests.support.cli_examples import examples, public_functions
from tests.support.daemons import until
from tests.support.salt_commands import REPO, Salt, this_environment
from tests.support.spread import spread

FUNCTIONS = public_functions("_modules")
EXAMPLES = {" ".join(words): words for docstring in FUNCTIONS.values() for words in examples(docstring)}
# The objects that must exist, by function; other functions need none.
NEEDS = {
    "lxdapi.convert_sls": ["old files"],
    "lxdapi.get": ["stopped"],
    "lxdapi.list": ["stopped"],
    "lxdapi.put": ["profile"],
    "lxdapi.patch": ["profile"],
    "lxdapi.delete": ["profile", "stopped"],
    "lxdapi.update": ["profile"],
    "lxdapi.rename": ["profile"],
    "lxdapi.effective": ["stopped"],
    "lxdapi.graph": ["backups"],
    "lxdapi.status": ["stopped"],
    "lxdapi_backup.export": ["backups"],
    "lxdapi_backup.import": ["backups"],
    **dict.fromkeys(
        (
            f"lxdapi_file.{each}"
            for each in "chown delete exists hash mkdir pull pull_tree push push_tree read readdir readlink set_mode "
            "stat symlink write".split()
        ),
        ["stopped", "files"],
    ),
    "lxdapi_fleet.exec": ["running"],
    "lxdapi_fleet.freeze": ["running"],
    "lxdapi_fleet.restart": ["running", "others"],
    "lxdapi_fleet.snapshot": ["stopped"],
    "lxdapi_fleet.start": ["stopped", "others"],
    "lxdapi_fleet.stop": ["running"],
    "lxdapi_fleet.unfreeze": ["frozen"],
    "lxdapi_image.delete": ["image"],
    "lxdapi_image.export": ["image"],
    "lxdapi_image.publish": ["stopped"],
    "lxdapi_image.alias_set": ["image without alias"],
    "lxdapi_image.alias_delete": ["image"],
    "lxdapi_instance.start": ["stopped"],
    "lxdapi_instance.stop": ["running"],
    "lxdapi_instance.restart": ["running"],
    "lxdapi_instance.freeze": ["running"],
    "lxdapi_instance.unfreeze": ["frozen"],
    "lxdapi_instance.delete": ["running"],
    "lxdapi_instance.copy": ["stopped", "snapshot", "places"],
    "lxdapi_instance.move": ["stopped", "places"],
    "lxdapi_snapshot.create": ["stopped", "volume"],
    "lxdapi_snapshot.delete": ["snapshots"],
    "lxdapi_snapshot.expire": ["snapshots"],
    "lxdapi_snapshot.list": ["snapshots"],
    "lxdapi_snapshot.rename": ["snapshots"],
    "lxdapi_snapshot.restore": ["snapshots"],
    "lxdapi_instance.console_log": ["running", "line on the console"],
    "lxdapi_instance.log": ["running"],
    "lxdapi_instance.log_delete": ["stopped", "log"],
    "lxdapi_instance.logs": ["stopped"],
    "lxdapi_instance.metadata": ["stopped"],
    "lxdapi_instance.metadata_set": ["stopped"],
    "lxdapi_instance.metrics": ["stopped"],
    "lxdapi_instance.rebuild": ["stopped"],
    "lxdapi_instance.rename": ["running"],
    "lxdapi_instance.template": ["stopped", "template"],
    "lxdapi_instance.template_delete": ["stopped", "template"],
    "lxdapi_instance.template_set": ["stopped"],
    "lxdapi_instance.templates": ["stopped", "template"],
    **dict.fromkeys(
        (
            f"lxdapi_instance.{each}"
            for each in "exec run run_stdout run_stderr run_all retcode script wait_for".split()
        ),
        ["running"],
    ),
    "lxdapi_trust.fingerprint": ["certificate"],
    "lxdapi_trust.redeem": ["listening"],
    "lxdapi_trust.token_create": ["listening"],
    "lxdapi_trust.token_list": ["token"],
    "lxdapi_trust.token_revoke": ["token"],
}
# The names that have snapshots and backups in the examples.
PATHS = {"web1": "/1.0/instances/web1", "data": "/1.0/storage-pools/default/volumes/custom/data"}

# API extensions that an example needs and some daemons lack.
EXTENSIONS = {"lxdapi_instance.rebuild": "instances_rebuild"}


# Examples that run in other tests: images that need another server in tests/functional/images/test_remote.py, Salt
# inside instances, which takes a second to start, in tests/functional/salt_inside.
TESTED = (
    "lxdapi_image.copy ",
    "lxdapi_image.products ",
    "lxdapi_image.refresh ",
    "lxdapi_fleet.apply ",
    "lxdapi_salt.",
    "lxdapi_target.",
)


def elsewhere(example):
    """Return whether an example needs a cluster (test_cli_cluster.py) or two daemons, or is one of TESTED."""
    if example.startswith(TESTED):
        return True
    cluster = example.startswith(("lxdapi_cluster.", "lxdapi_instance.move web1 n"))
    return cluster or example.startswith("lxdapi_instance.migrate ") or "to_remote=" in example


@pytest.fixture(scope="module")
def callers(daemons, roots, tmp_path_factory):
    """Salt's own ``salt-call`` in-process, with the daemon of each kind as the local one."""
    made = {}

    def caller(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp("caller")
            far = {part: str(folder / f"far.{part}") for part in ("cert", "key", "fingerprint")}
            remotes = {"remotes": {"local": {"endpoint": daemons[kind].socket}, "far": far}}
            Salt(this_environment(), folder, roots, lxdapi=remotes, module_dirs=[str(REPO)])
            options = salt.config.minion_config(str(folder / "minion"))
            made[kind] = salt.client.Caller(mopts=options)
        return made[kind]

    return caller


class Prepared:
    """The objects of the examples, created past the code under test."""

    def __init__(self, daemon, image, folder):
        self._daemon, self._file, self.folder = daemon, image, folder
        self.fingerprint = "0" * 64

    def make(self, thing):
        """Create an object and everything that it needs."""
        getattr(self, f"_{thing.replace(' ', '_')}")()

    def operation(self):
        """Start an operation and return its path."""
        _, reply = self._daemon.request("POST", "/1.0/instances", {"name": "web1", "source": {"type": "none"}})
        return reply["operation"]

    def token(self):
        """Return a token of the daemon for the client web1."""
        body = {"type": "client", "name": "web1", "token": True}
        facts = self._daemon.request("POST", "/1.0/certificates", body)[1]["metadata"]["metadata"]
        data = {key: facts[key] for key in ("fingerprint", "addresses", "secret")}
        return base64.b64encode(json.dumps({"client_name": "web1", **data}).encode()).decode()

    def _token(self):
        self._listening()
        self.token()

    def _listening(self):
        self._daemon.ask("PATCH", "/1.0", {"config": {"core.https_address": f"127.0.0.1:{free_port()}"}})

    def _certificate(self):
        keypair.create(f"{self.folder}/client.crt", f"{self.folder}/client.key", "web1")

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

    def _files(self):
        (self.folder / "www").mkdir()
        for path in (self.folder / "site.conf", self.folder / "www" / "index.html"):
            path.write_text("x")
        self._daemon.request("POST", "/1.0/instances/web1/files?path=/etc/old.conf", {})

    def _old_files(self):
        (self.folder / "web.sls").write_text("web: lxd_profile.absent\n")
        (self.folder / "web1.yaml").write_text("architecture: x86_64\nconfig: {}\ndevices: {}\n")

    def _running(self):
        self._stopped()
        self._act("start")

    def _frozen(self):
        self._running()
        self._act("freeze")

    def _snapshot(self):
        self._daemon.ask("POST", "/1.0/instances/web1/snapshots", {"name": "before-upgrade"})

    def _places(self):
        self._daemon.ask("POST", "/1.0/storage-pools", {"name": "fast", "driver": "dir"})
        features = {"features.images": "false", "features.profiles": "false"}
        self._daemon.ask("POST", "/1.0/projects", {"name": "shop", "config": features})

    def _others(self):
        for name in ("web2", "web01", "web02", "web03"):
            body = {"name": name, "source": {"type": "image", "alias": "busybox"}}
            self._daemon.ask("POST", "/1.0/instances", body)

    def _volume(self):
        self._daemon.ask("POST", "/1.0/storage-pools/default/volumes/custom", {"name": "data"})

    def _snapshots(self):
        self._stopped()
        self._volume()
        for path in PATHS.values():
            self._daemon.ask("POST", f"{path}/snapshots", {"name": "before"})

    def _backups(self):
        self._stopped()
        self._volume()
        for name, path in PATHS.items():
            self._daemon.ask("POST", f"{path}/backups", {"name": "b"})
            (self.folder / f"{name}.tar.gz").write_bytes(self._daemon.request("GET", f"{path}/backups/b/export")[1])

    def _line_on_the_console(self):
        command = ["sh", "-c", "echo ready > /dev/console"]
        body = {"command": command, "record-output": False, "wait-for-websocket": False}
        self._daemon.ask("POST", "/1.0/instances/web1/exec", body)

    def _log(self):
        folder = Path(self._daemon.directory, "logs", "web1")
        folder.mkdir(exist_ok=True)
        (folder / "migration_dump.log").write_text("x")

    def _template(self):
        headers = {"Content-Type": "application/octet-stream"}
        self._daemon.ask("POST", "/1.0/instances/web1/metadata/templates?path=hosts.tpl", io.BytesIO(b"x"), headers)

    def _act(self, action):
        self._daemon.ask("PUT", "/1.0/instances/web1/state", {"action": action, "timeout": 30})


def free_port():
    """Return a loopback TCP port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def filled(words, prepared, image):
    """Return the words of an example with the values that are unknown in advance."""
    words = [word.replace("/srv/images/busybox.tar.gz", str(image)) for word in words]
    for word in ("/srv/backups", "/srv/files"):
        words = [each.replace(word, str(prepared.folder)) for each in words]
    words = [word.replace("/etc/salt/pki/lxdapi", str(prepared.folder)) for word in words]
    words = [f"token={prepared.token()}" if word.startswith("token=") else word for word in words]
    words = [re.sub(r"^[0-9a-f]{64}$", prepared.fingerprint, word) for word in words]
    return [prepared.operation() if "/operations/" in word else word for word in words]


def test_every_function_has_an_example_that_calls_it():
    for function, docstring in FUNCTIONS.items():
        assert function in [words[0] for words in examples(docstring)], function


def console_output(first, prepared, call):
    """Return the output of a console, which the daemon gets later than the command ends; a call takes it away."""
    results = [first]

    def arrives():
        if not results[-1]:
            prepared.make("line on the console")
            results.append(call())
        return results[-1]

    until(arrives, 10)
    return results[-1]


@pytest.mark.parametrize("example", spread(*(each for each in EXAMPLES if not elsewhere(each))))
def test_example_result_survives_the_way_to_the_master(example, callers, daemon, image, tmp_path):
    words, prepared = EXAMPLES[example], Prepared(daemon, image, tmp_path)
    for thing in NEEDS.get(words[0], []):
        prepared.make(thing)
    needed = EXTENSIONS.get(words[0])
    if needed and needed not in daemon.ask("GET", "/1.0")["api_extensions"]:
        with pytest.raises(CommandExecutionError, match=f"lacks the API extension {needed}"):
            callers(daemon.name).function(*filled(words, prepared, image))
        return
    result = callers(daemon.name).function(*filled(words, prepared, image))
    if words[0] == "lxdapi_instance.console_log":
        result = console_output(result, prepared, lambda: callers(daemon.name).function(*words))
    # Each example returns or changes something.
    assert result
    assert salt.payload.loads(salt.payload.dumps(result)) == result
