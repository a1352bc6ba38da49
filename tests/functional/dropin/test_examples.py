"""
Every example in the documentation of Salt 3007's own lxd modules and states runs with the drop-in, on an LXD.
"""

import ast
import re
import shlex
import shutil
import textwrap

import pytest
import salt.utils.args
import salt.utils.yaml
from salt.exceptions import CommandExecutionError

from tests.functional.conftest import free_port
from tests.support.client_certificates import in_files
from tests.support.image_headers import ImageHeaders
from tests.support.image_server import ImageServer
from tests.support.images import busybox_image
from tests.support.loader import Loaded
from tests.support.removed_lxd import functions_of_salt

# Examples that delete come last: other examples use what they delete. {part of a function: its place}
LAST = {"migrate": 3, "image_delete": 2, "delete": 1}
UBUNTU = {"os": "ubuntu", "release": "14.04", "architecture": "x86_64"}


def docstrings(name):
    """Return the docstrings of a file of Salt, by function."""
    nodes = ast.parse(functions_of_salt(name).read_text(encoding="utf-8")).body
    return {node.name: ast.get_docstring(node) or "" for node in nodes if isinstance(node, ast.FunctionDef)}


def commands():
    """Return the command lines in the documentation of the module, without ``salt '*'``."""
    found = {}
    for function, text in docstrings("modules/lxd").items():
        found[function] = re.findall(r"^ +salt '\*' (lxd\..+)$", text, re.MULTILINE)
    order = sorted(found, key=lambda function: next((LAST[word] for word in LAST if word in function), 0))
    return [line for function in order for line in found[function]]


def image_sources():
    """Return the sources in the documentation of ``lxd_image.present``."""
    blocks = re.findall(r"code-block:: yaml\n\n((?: {8}.*\n|\n)+)", docstrings("states/lxd_image")["present"])
    found = [salt.utils.yaml.safe_load(textwrap.dedent(block)) for block in blocks]
    return [each["source"] for each in found]


def container_sources():
    """Return the sources in the documentation of ``lxd_container.present``."""
    text = docstrings("states/lxd_container")["present"].partition("source : None")[2].partition("profiles :")[0]
    blocks = re.findall(r"code-block:: \w+\n\n((?: +.*\n|\n)+?)(?=\n *or|\n*\Z)", text)
    return [ast.literal_eval(textwrap.dedent(block).strip()) for block in blocks]


class Examples:
    """The examples with stand-ins for machines, files and servers that do not exist here."""

    def __init__(self, folder, lxd, other):
        self.folder, self.lxd, self.other, self.password = folder, lxd, other, "PaSsW0rD"
        self.port, self.other_port = free_port(), free_port()
        other.ask("PATCH", "/1.0", {"config": {"core.https_address": f"127.0.0.1:{self.other_port}"}})
        in_files(folder / "client.crt", folder / "client.key")
        (folder / "foo").write_text("foo")
        self.image = busybox_image(folder / "busybox.tar.xz", **UBUNTU)
        self.fingerprint = lxd.import_image(self.image, alias="xenial/amd64")
        self.streams, self.headers = ImageServer(folder), ImageHeaders(folder, busybox_image(folder / "h", x="1"))
        self.streams.add("20250101_00:00", aliases="trusty/amd64,xenial/amd64")
        servers = {"cloud": {"server": self.streams.url, "certificate": str(self.streams.certificate)}}
        self.salt = Loaded(folder / "salt", {"local": lxd.socket}, dropin=True, image_servers=servers)
        (self.salt.tree / "lxd" / "files").mkdir(parents=True)
        shutil.copy(self.image, self.salt.tree / "lxd" / "files" / "busybox.tar.xz")

    def close(self):
        """Stop the web servers."""
        self.streams.close()
        self.headers.close()

    def prepare(self):
        """Create the objects that the examples use."""
        for name in ("test-container", "my-old-container", "phpmyadmin"):
            body = {"name": name, "source": {"type": "image", "alias": "xenial/amd64"}}
            self.lxd.ask("POST", "/1.0/instances", body)
        self.lxd.ask("PUT", "/1.0/instances/test-container/state", {"action": "start"})
        nic = {"eth0": {"type": "nic", "nictype": "p2p"}}
        self.lxd.ask("PATCH", "/1.0/profiles/default", {"devices": nic})

    def here(self, text):
        """Return a text with the stand-ins."""
        is_other = "srv02" in text and "authenticate" in text
        stand_ins = {
            "<yourpass>": self.token() if is_other else self.password,
            "<container name>": "test-container",
            "<fingerprint>": self.fingerprint,
            "SHA-256": self.fingerprint,
            "https://srv01:8443": f"https://127.0.0.1:{self.port}",
            "https://srv02:8443": f"https://127.0.0.1:{self.other_port}",
            "https://images.linuxcontainers.org:8443": f"https://127.0.0.1:{self.port}",
            "[::]:8443": f"[::]:{self.port}",
            "[::]": f"[::] {self.port}" if text.startswith("lxd.init") else "[::]",
            "~/.config/lxc/": f"{self.folder}/",
            "~/.config/lxd/": f"{self.folder}/",
            "/var/tmp/foo": str(self.folder / "foo"),
            "/var/tmp/": "/root/",
            "https://cloud-images.ubuntu.com/releases": "cloud",
            "https://dl.stgraber.org/lxd": self.headers.url,
            "ubuntu/xenial/amd64": "xenial/amd64",
        }
        for shown, used in stand_ins.items():
            text = text.replace(shown, used)
        return text

    def token(self):
        """Return a token of the other daemon, which has no password; Salt takes "=" for the end of a parameter name."""
        create = Loaded(self.folder / "there", {"local": self.other.socket}).modules["lxdapi_trust.token_create"]
        return next(token for token in (create("x" * count) for count in range(1, 4)) if not token.endswith("="))

    def run(self, line):
        """Run a command line."""
        words = [word for word in shlex.split(self.here(line)) if not word.startswith("--")]
        args, kwargs = salt.utils.args.parse_input(words[1:], condition=False)
        if args[:1] == ["core.trust_password"]:
            self.password = args[1]
        return self.salt.modules[words[0]](*args, **kwargs)


@pytest.fixture
def examples(lxd, second, tmp_path):
    """The examples on two daemons."""
    made = Examples(tmp_path, lxd, second)
    yield made
    made.close()
    second.wipe()


def test_every_example_of_the_old_module_runs(examples):
    examples.prepare()
    # the copy of an image is documented before it
    examples.run(
        "lxd.authenticate https://srv02:8443 <yourpass> ~/.config/lxc/client.crt ~/.config/lxc/client.key false"
    )
    lines = commands()
    assert len(lines) > 35
    for line in lines:
        if "pylxd" in line:
            with pytest.raises(CommandExecutionError, match="without pylxd"):
                examples.run(line)
        else:
            assert examples.run(line) not in (None, False, {}), line
    assert examples.other.ask("GET", "/1.0/instances/phpmyadmin")["status"] == "Stopped"
    assert examples.lxd.ask("GET", "/1.0/instances/test-container")["status"] == "Running"


def test_every_source_in_the_old_states_works(examples):
    examples.prepare()
    examples.run("lxd.init dir PaSsW0rD [::]")
    examples.run(
        "lxd.authenticate https://srv01:8443 <yourpass> ~/.config/lxc/client.crt ~/.config/lxc/client.key false"
    )
    containers, images = container_sources(), image_sources()
    assert (len(containers), len(images)) == (6, 4)
    for number, source in enumerate(containers):
        source = ast.literal_eval(examples.here(repr(source)))
        ret = examples.salt.states["lxd_container.present"](name=f"c{number}", source=source)
        assert (ret["result"], set(ret["changes"])) == (True, {"created"}), ret
    for number, source in enumerate(images):
        source = ast.literal_eval(examples.here(repr(source)))
        ret = examples.salt.states["lxd_image.present"](name=f"i{number}", source=source)
        assert ret["result"] is True and ret["changes"], ret
