"""
The SLS examples in the docstrings of the states work on every daemon: applied, applied again, and removed.

The test finds the examples of a new kind itself. Prerequisites are in NEEDS; what the machine of the tests lacks is in
STAND_INS, BEYOND and ELSEWHERE.
"""

import ast
import hashlib
import re
import textwrap

import pytest
import salt.utils.yaml
from lxdapi.model.kinds import KINDS

from tests.support import client_certificates as certificates
from tests.support import fronts
from tests.support.loader import REPO

FINGERPRINT = "3ad0a4b37f2d7b4e8ab1ad3d1a4ae1b6c2d63dc4a4e1b6c2d63dc4a4e1b6c2d6"
FILE = object()  # as a body: the image file
UPLOAD = ("POST", "/1.0/images", FILE)
# {kind: raw requests (method, path, body)}
NEEDS = {
    "file": [
        UPLOAD,
        ("POST", "/1.0/images/aliases", {"name": "busybox", "target": FINGERPRINT}),
        ("POST", "/1.0/instances", {"name": "web1", "source": {"type": "image", "alias": "busybox"}}),
    ],
    "image": [
        UPLOAD,
        ("POST", "/1.0/instances", {"name": "web1", "source": {"type": "image", "fingerprint": FINGERPRINT}}),
        ("POST", "/1.0/instances/web1/snapshots", {"name": "before"}),
    ],
    "image_alias": [UPLOAD],
    "instance": [
        UPLOAD,
        ("POST", "/1.0/images/aliases", {"name": "busybox", "target": FINGERPRINT}),
        ("POST", "/1.0/profiles", {"name": "web"}),
    ],
    "instance_snapshot": [("POST", "/1.0/instances", {"name": "web1", "source": {"type": "none"}})],
    "network_forward": [
        (
            "POST",
            "/1.0/networks",
            {"name": "lxdbr0", "config": {"ipv4.address": "10.77.0.1/24", "ipv6.address": "none"}},
        )
    ],
    "network_zone_record": [("POST", "/1.0/network-zones", {"name": "lxd.example.com"})],
    "snapshot": [
        ("POST", "/1.0/instances", {"name": "web1", "source": {"type": "none"}}),
        ("POST", "/1.0/storage-pools/default/volumes/custom", {"name": "data"}),
    ],
    "storage_bucket_key": [("POST", "/1.0/storage-pools/default/buckets", {"name": "backups"})],
    "volume_snapshot": [("POST", "/1.0/storage-pools/default/volumes/custom", {"name": "data"})],
}
# Replacements for names in the examples and NEEDS that do not exist here; "{image}" is the fingerprint of the image
# file, "{certificate}" the path of a certificate, "{backup}" that of a writable file, "{iso}" that of an iso file.
STAND_INS = {
    FINGERPRINT: "{image}",
    "/srv/data": "/tmp",
    "/etc/ssl/lxdapi/web-team.crt": "{certificate}",
    "/srv/backups/web1.tar.gz": "{backup}",
    "/srv/backups/data.tar.gz": "{backup}",
    "salt://iso/installer.iso": "{iso}",
}
# {(kind, argument): why it is omitted}
OMITTED = {("storage_bucket", "config"): "a pool of the driver dir has no size for buckets"}
# {(kind, state id): why it is only predicted}
BEYOND = {
    ("image", "company/13"): "an image server",
    ("image", "debian/12"): "an image server",
    ("image", "debian/13"): "an image server",
    ("instance", "mail1"): "an image server",
    ("instance", "shop1"): "two daemons",
    ("instance", "web2"): "an image server",
}
# {kind: why all of its examples are only predicted}
ELSEWHERE = {
    "cluster_group": "only a clustered server has any",
    "cluster_member": "only a clustered server has any",
    "network_load_balancer": "needs an OVN network",
    "network_peer": "needs an OVN network",
}
# {(kind, daemon): why all of its examples are only predicted there}
ELSEWHERE_ON = {
    ("storage_bucket", "incus"): "needs ceph, or minio on the machine",
    ("storage_bucket_key", "incus"): "needs ceph, or minio on the machine",
}
# Functions whose examples are applied in tests/functional/salt_inside: Salt takes a second to start.
INSIDE = ("lxdapi_fleet.applied",)
# The states without a kind whose examples are applied here.
OF_NO_KIND = ("file", "fleet", "snapshot")
# The order in which the examples of a kind are applied; those of other functions come third.
ORDER = {"present": 0, "cmd_run": 1, "absent": 3}
FOUND = [word for word in sorted([*KINDS, *OF_NO_KIND]) if (REPO / "_states" / f"lxdapi_{word}.py").exists()]


def blocks(word):
    """Return the first SLS of each public function: ``present`` first, ``absent`` last."""
    functions = [
        each
        for name, each in fronts.functions("_states", f"lxdapi_{word}").items()
        if name not in fronts.HOOKS and f"lxdapi_{word}.{name}" not in INSIDE
    ]
    functions.sort(key=lambda each: ORDER.get(each.name, 2))
    found = [re.search(r"code-block:: yaml\n\n((?:    .*\n|\n)+)", f"{ast.get_docstring(f)}\n") for f in functions]
    return [textwrap.dedent(block[1]) for block in found]


def declarations(word):
    """Return ``(function, name, arguments)`` for each state in the examples of a kind, in order."""
    for block in blocks(word):
        for name, states in salt.utils.yaml.safe_load(block).items():
            for function, arguments in ({states: []} if isinstance(states, str) else states).items():
                merged = {key: value for each in arguments or () for key, value in each.items()}
                yield function, merged.pop("name", name), merged


def lacking(kind, arguments, extensions):
    """Return the API extensions that the kind and its declaration need and the daemon lacks."""
    if kind is None:
        return []
    needed = [kind.extension] if kind.extension else []
    for part, extension in kind.extensions.items():
        field, _, key = part.partition(".")
        value = arguments.get(field)
        inside = value if isinstance(value, list) else [value]
        if field in arguments and (not key or any(key in each for each in inside)):
            needed.append(extension)
    return [extension for extension in needed if extension not in extensions]


class Examples:
    """The examples of a kind on one daemon."""

    def __init__(self, apply, daemon, image, folder):
        self._apply, self._daemon, self._image = apply, daemon, image
        self._here = {"{certificate}": str(folder / "web-team.crt"), "{backup}": str(folder / "backup.tar.gz")}
        self._here["{iso}"] = str(folder / "installer.iso")
        (folder / "installer.iso").write_bytes(b"x" * 65536)
        self._here["{image}"] = hashlib.sha256(image.read_bytes()).hexdigest()
        self._extensions = daemon.ask("GET", "/1.0")["api_extensions"]
        self._made = set()

    def prepare(self, word):
        """Create the prerequisites of the examples, unless the daemon does not support the kind."""
        if lacking(KINDS.get(word), {}, self._extensions):
            return
        for method, path, body in NEEDS.get(word, ()):
            if body is FILE:
                with self._image.open("rb") as file:
                    self._daemon.ask(method, path, file)
            else:
                self._daemon.ask(method, self.here(path), self.here(body))

    def here(self, value):
        """Return the value with the replacements filled in."""
        if isinstance(value, dict):
            return {key: self.here(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.here(inner) for inner in value]
        found = STAND_INS.get(value, value) if isinstance(value, str) else value
        return self._here.get(found, found) if isinstance(found, str) else found

    def elsewhere(self, word):
        """Return whether the examples of the kind can only be predicted here."""
        return word in ELSEWHERE or (word, self._daemon.name) in ELSEWHERE_ON

    def apply(self, word, function, name, arguments):
        """Check that an example makes its claim true, and that a second apply changes nothing."""
        arguments = {key: value for key, value in self.here(arguments).items() if (word, key) not in OMITTED}
        verb = function.partition(".")[2]
        missing = lacking(KINDS.get(word), arguments, self._extensions)
        if verb == "absent":
            self._absent(function, name, arguments, name in self._made or self._warned(name))
        elif missing:
            assert f"lacks the API extension {missing[0]}" in self._apply.failed(function, name, **arguments)
        elif verb == "present":
            assert self._apply.changed(function, name, **arguments)
            self._made.add(name)
        elif verb == "cmd_run":
            ret = self._apply(function, name, **arguments)
            assert ret["changes"], ret
            assert self._apply(function, name, **arguments)["changes"] == {}
        else:
            ret = self._apply(function, name, **arguments)
            assert ret["result"] is True, ret
            self._made |= {name} if "created" in ret["changes"] else set()
            self._apply.unchanged(function, name, **arguments)

    def predict(self, function, name, arguments):
        """Check that test mode gives a comment and only reads."""
        ret = self._apply.predicted(function, name, **self.here(arguments))
        assert ret["comment"] and "Traceback" not in ret["comment"], ret

    def _warned(self, name):
        """Return whether the daemon has a warning of this type: the daemons differ."""
        return name in [each["type"] for each in self._daemon.ask("GET", "/1.0/warnings?recursion=1") or ()]

    def _absent(self, function, name, arguments, is_there):
        ret = self._apply(function, name, **arguments)
        assert (ret["result"], bool(ret["changes"])) == (True, is_there), ret
        self._apply.unchanged(function, name, **arguments)


@pytest.fixture
def examples(apply, salt, daemon, image, tmp_path):
    """The examples, with the image on the file server and a certificate in a file."""
    (salt.tree / "images").mkdir()
    (salt.tree / "images" / "busybox.tar.gz").write_bytes(image.read_bytes())
    (salt.tree / "site" / "css").mkdir(parents=True)
    (salt.tree / "site" / "css" / "a.css").write_text("a")
    (tmp_path / "web-team.crt").write_text(certificates.made()[0])
    return Examples(apply, daemon, image, tmp_path)


@pytest.mark.parametrize("word", FOUND)
def test_docstring_examples_do_what_they_show(examples, word):
    elsewhere = examples.elsewhere(word)
    if not elsewhere:
        examples.prepare(word)
    for function, name, arguments in declarations(word):
        if elsewhere or (word, name) in BEYOND:
            examples.predict(function, name, arguments)
        else:
            examples.apply(word, function, name, arguments)


@pytest.mark.parametrize("word", FOUND)
def test_each_example_uses_its_own_state(word):
    functions = {function.partition(".")[0] for function, _, _ in declarations(word)}
    assert f"lxdapi_{word}" in functions
