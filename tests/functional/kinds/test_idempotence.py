"""
Traps for a naive comparison, row by row: instances and their parts. The other kinds are in the second file.

Each row declares something in an unusual spelling, checks that a second apply is silent (only GET requests), and reads
past the code under test what had to stay unchanged. See test_idempotence_kinds.py for the rest.
"""

from dataclasses import dataclass
from typing import Callable

import pytest

NIC = {"type": "nic", "nictype": "bridged", "parent": "nope0"}
DISK = {"type": "disk", "path": "/t", "source": "/tmp"}
TEXTS = ["  x  ", "a\r\nb\r\n", "lines\n\n", "é \U0001f600", "True", "007", "50%", "x" * 100_000]
# Number of a row: (description, check).
ROWS = {}


@dataclass(frozen=True)
class At:
    """One object under test: its state is applied, its daemon is read past the code under test."""

    apply: Callable
    daemon: object
    proxy: object
    request: object
    state: str = "lxdapi_instance"
    name: str = "c1"
    path: str = "instances/c1"

    def of(self, state, name, path):
        """Return another object of the same daemon."""
        return At(self.apply, self.daemon, self.proxy, self.request, state, name, path)

    def made(self, **declared):
        """Create the object as declared and return it."""
        ret = self.apply(f"{self.state}.present", self.name, **self._complete(declared))
        assert ret["result"] is True, ret
        return self.read()

    def changed(self, **declared):
        """Return the changes of an apply that was predicted, after a check that nothing is left to do."""
        return self.apply.changed(f"{self.state}.present", self.name, **self._complete(declared))

    def silent(self, **declared):
        """Check that this declaration sends no write, and that the object stays exactly the same."""
        before = self.read()
        self.apply.unchanged(f"{self.state}.present", self.name, **declared)
        assert self.read() == before

    def refused(self, **declared):
        """Return the comment of a failure that sent no request."""
        return self.apply.refused(f"{self.state}.present", self.name, **declared)

    def _complete(self, declared):
        """Return the declaration; a new instance needs a source, which is ignored for an existing one."""
        return {"source": "none", **declared} if self.state == "lxdapi_instance" else declared

    def read(self):
        """Return the object as the daemon has it."""
        status, reply = self.daemon.request("GET", f"/1.0/{self.path}".rstrip("/"))
        assert status in (200, 404), reply
        return reply["metadata"] if status == 200 else None

    def config(self, prefix=""):
        """Return the config keys with this prefix."""
        return {key: value for key, value in self.read()["config"].items() if key.startswith(prefix)}

    def patch(self, **fields):
        """Write these fields as another client."""
        body = {"description": self.read()["description"], **fields}
        self.daemon.ask("PATCH", f"/1.0/{self.path}", body)

    def meanwhile(self, **fields):
        """Write these fields as another client between the last read of the next apply and its write."""
        self.proxy.clear()
        # the plan reads, and a stopped instance is read again before it is changed
        self.proxy.arm("swap", method="GET", path=self.path, skip=1, reply=lambda reply: self.patch(**fields) or reply)

    def methods(self):
        """Return the methods of the writes since ``meanwhile`` or the last comparison."""
        return [seen.method for seen in self.proxy.writes()]

    def image(self):
        """Return the fingerprint of an image with the alias busybox."""
        return self.request.getfixturevalue("imported")


def row(table, number, words):
    """Return a decorator that adds a check to a table."""

    def put(check):
        assert number not in table
        table[number] = (words, check)
        return check

    return put


def parametrized(table):
    """Return a table as the parameters of a test, each with its number and description as ID."""
    return pytest.mark.parametrize(
        "check", [pytest.param(check, id=f"{number:02} {words}") for number, (words, check) in sorted(table.items())]
    )


@pytest.fixture
def at(apply, daemon, proxy, request):
    """The stopped, empty instance c1, not created yet."""
    return At(apply, daemon, proxy, request)


@row(ROWS, 1, "text is kept as it was sent")
def _verbatim(at):
    texts = {f"user.{number}": text for number, text in enumerate(TEXTS)}
    at.changed(config={**texts, "limits.memory": "2GB", "boot.autostart.delay": "010"})
    kept = {**texts, "limits.memory": "2GB", "boot.autostart.delay": "010"}
    assert kept.items() <= at.config().items()
    at.silent(config={**texts, "limits.memory": "2000MB", "boot.autostart.delay": 10})
    assert at.changed(config={"user.0": "x"}) == {"config": {"user.0": {"old": "  x  ", "new": "x"}}}


@row(ROWS, 2, "what is no text is sent as text, or refused")
def _no_text(at):
    at.changed(config={"security.nesting": True, "limits.cpu": 2, "user.none": None})
    assert {"security.nesting": "true", "limits.cpu": "2"}.items() <= at.config().items()
    assert "user.none" not in at.config()
    for value in (2.0, [1], {"a": 1}):
        refused = at.refused(config={"limits.cpu": value})
        assert "expected text (" in refused and ") for config limits.cpu" in refused


@row(ROWS, 3, "booleans are compared by their truth")
def _booleans(at):
    at.made(config={"security.nesting": "yEs", "boot.autostart": 0})
    at.patch(config={"boot.autostart": "False"})
    for yes, no in ((True, False), ("true", "off"), ("ON", "NO"), (1, 0), ("1", "false")):
        at.silent(config={"security.nesting": yes, "boot.autostart": no})
    assert at.config()["security.nesting"] == "yEs"
    at.changed(config={"security.nesting": False, "boot.autostart": "yes"})


@row(ROWS, 4, "sizes are compared in bytes")
def _sizes(at):
    at.changed(config={"limits.memory": "2GB"})
    for same in ("2000MB", 2_000_000_000, "2000000000B", "2GB"):
        at.silent(config={"limits.memory": same})
    at.changed(config={"limits.memory": "2GiB"})
    at.silent(config={"limits.memory": "2048MiB"})
    assert at.config()["limits.memory"] == "2GiB"


@row(ROWS, 5, "empty, null and absent are one")
def _empty(at):
    at.changed(config={"user.a": "", "user.b": None, "user.c": "x", "user.d": "x"}, devices={"tmp": None})
    assert at.config("user.") == {"user.c": "x", "user.d": "x"}
    at.silent(config={"user.a": None, "user.b": ""}, devices={"tmp": None})
    at.changed(config={"user.c": "", "user.d": None})
    at.silent(config={"user.c": None, "user.d": ""})
    assert at.config("user.") == {}


@row(ROWS, 6, "NUL and half a character are refused before anything is sent")
def _nul(at):
    for text in ("a\0b", "\ud800"):
        assert "which the daemon would alter" in at.refused(config={"user.a": text})
        assert "which the daemon would alter" in at.refused(description=text)


@row(ROWS, 7, "keys of the image are the daemon's unless they are named")
def _image_keys(at):
    at.image()
    at.changed(source="busybox", config={"image.os": "mine", "user.a": "1"})
    before = at.config("image.")
    assert before["image.os"] == "mine"
    assert len(before) > 1
    at.silent(source="busybox", config={"user.a": "1"})
    at.changed(config={})
    assert at.config("image.") == before


@row(ROWS, 8, "volatile keys are the daemon's unless they are named")
def _volatile(at):
    at.made(config={"user.a": "1"}, devices={"eth0": NIC})
    before = at.config("volatile.")
    at.silent(config={"user.a": "1", "volatile.eth0.hwaddr": before["volatile.eth0.hwaddr"]})
    at.changed(config={"volatile.eth0.hwaddr": "00:16:3e:11:22:33"})
    at.changed(config={})
    assert at.config("volatile.") == {**before, "volatile.eth0.hwaddr": "00:16:3e:11:22:33"}
    assert at.config() == at.config("volatile.")


@row(ROWS, 9, "volatile idmap survives a removal")
def _idmap(at):
    before = {key: value for key, value in at.made(config={"user.a": "1"})["config"].items() if "idmap" in key}
    assert before
    at.changed(config={"user.a": None})
    assert before.items() <= at.config().items()


@row(ROWS, 10, "base image, uuid and instance id survive a removal")
def _base_image(at):
    fingerprint = at.image()
    at.made(source="busybox", config={"user.a": "1"}, devices={"tmp": DISK})
    before = at.config("volatile.")
    assert before["volatile.base_image"] == fingerprint
    at.changed(config={"user.a": None}, devices={"tmp": None})
    assert at.config("volatile.") == before


@row(ROWS, 11, "a volatile key that changes between read and write is no failure")
def _etag(at):
    at.made(config={"user.a": "1"}, devices={"eth0": NIC})
    at.meanwhile(config={"volatile.eth0.hwaddr": "00:16:3e:11:22:33"})
    ret = at.apply("lxdapi_instance.present", "c1", config={"user.a": None})
    assert (ret["result"], ret["changes"]) == (True, {"config": {"user.a": {"old": "1", "new": None}}}), ret
    assert at.methods() == ["PUT", "PUT"]
    assert at.config("user.") == {}
    assert at.config()["volatile.eth0.hwaddr"] == "00:16:3e:11:22:33"


@row(ROWS, 12, "other people's keys survive additions and removals")
def _foreign(at):
    at.made(config={"user.a": "1"})
    at.patch(config={"user.foreign": "x"})
    at.changed(config={"user.b": "2"})
    at.changed(config={"user.a": None})
    assert at.config("user.") == {"user.b": "2", "user.foreign": "x"}
    at.meanwhile(config={"user.second": "y"})
    ret = at.apply("lxdapi_instance.present", "c1", config={"user.b": None})
    assert ret["result"] is True, ret
    assert at.config("user.") == {"user.foreign": "x", "user.second": "y"}


@row(ROWS, 13, "a PATCH that answers at once and a PUT that does not are both done when the state says so")
def _sync(at):
    at.made()
    for value, method in (("1", "PATCH"), (None, "PUT")):
        at.proxy.clear()
        at.apply("lxdapi_instance.present", "c1", config={"user.a": value})
        assert at.config("user.") == ({"user.a": value} if value else {})
        assert at.methods() == [method]
        at.silent(config={"user.a": value})


@row(ROWS, 14, "what is inherited is not declared, and devices are kept as they were sent")
def _inherited(at):
    at.apply("lxdapi_profile.present", "web", config={"user.a": "1"}, devices={"tmp": DISK})
    at.made(profiles=["default", "web"])
    at.patch(devices={"two": {**DISK, "path": "/mnt/", "readonly": "True"}})
    at.silent(devices={"two": {"path": "/mnt/", "readonly": True}})
    assert at.read()["devices"] == {"two": {**DISK, "path": "/mnt/", "readonly": "True"}}
    changes = at.changed(config={"user.a": "1"}, devices={"tmp": DISK})
    assert changes == {
        "config": {"user.a": {"old": None, "new": "1"}},
        "devices": {"tmp": {"old": None, "new": DISK}},
    }


@row(ROWS, 15, "one key of a device changes, the others and the other devices stay")
def _device(at):
    at.made(devices={"one": {**DISK, "readonly": "true"}, "two": {**DISK, "path": "/u"}, "eth0": NIC})
    at.changed(devices={"one": {"path": "/v"}})
    assert at.read()["devices"] == {
        "one": {**DISK, "readonly": "true", "path": "/v"},
        "two": {**DISK, "path": "/u"},
        "eth0": NIC,
    }
    at.changed(devices={"two": None, "one": {"readonly": ""}})
    assert at.read()["devices"] == {"one": {**DISK, "path": "/v"}, "eth0": NIC}


@row(ROWS, 16, "a device of type none masks that of a profile")
def _masked(at):
    at.apply("lxdapi_profile.present", "web", devices={"tmp": DISK})
    at.made(profiles=["default", "web"])
    assert at.read()["expanded_devices"]["tmp"] == DISK
    at.changed(devices={"tmp": {"type": "none"}})
    assert at.read()["expanded_devices"]["tmp"] == {"type": "none"}
    at.changed(devices={"tmp": None})
    assert at.read()["expanded_devices"]["tmp"] == DISK


@row(ROWS, 17, "profiles are a list whose order counts, and survive a removal")
def _profiles(at):
    at.apply("lxdapi_profile.present", "web")
    assert at.made(config={"user.a": "1"})["profiles"] == ["default"]
    at.silent(profiles=["default"])
    at.changed(profiles=["web", "default"])
    at.changed(profiles=["default", "web"])
    at.changed(config={"user.a": None})
    assert at.read()["profiles"] == ["default", "web"]


@row(ROWS, 18, "a description is left alone, and an empty one clears it")
def _description(at):
    at.changed(description="first\n second\n", config={"user.a": "1"})
    at.changed(config={"user.b": "1"})
    at.changed(config={"user.a": None}, devices={"tmp": DISK})
    at.changed(devices={"tmp": None})
    assert at.read()["description"] == "first\n second\n"
    at.changed(description="")
    at.silent(description="")
    assert at.read()["description"] == ""


@row(ROWS, 19, "an architecture that the server has is kept, another one is refused")
def _architecture(at):
    at.image()
    at.changed(source="busybox", architecture="i386")
    assert at.read()["architecture"] == "i686"
    at.changed(architecture="amd64")
    comment = at.apply.failed("lxdapi_instance.present", "c1", architecture="foo")
    assert "architecture" in comment
    assert "foo" in comment
    other = at.of("lxdapi_instance", "c2", "instances/c2")
    at.apply.failed("lxdapi_instance.present", "c2", source="busybox", architecture="foo")
    assert other.read() is None
    assert at.read()["architecture"] == "x86_64"


@row(ROWS, 42, "what can only be read stays as it is")
def _read_only(at):
    keys = ("created_at", "last_used_at", "status", "location", "project", "name", "type", "stateful", "ephemeral")
    at.changed(config={"user.a": "1"}, ephemeral=False)
    before = at.read()
    at.silent(config={"user.a": 1}, type="container", ephemeral="no")
    at.changed(config={"user.a": None})
    after = at.read()
    assert {key: after.get(key) for key in keys} == {key: before.get(key) for key in keys}


@parametrized(ROWS)
def test_instance_spellings_of_equal_meaning_are_no_change(at, check):
    check(at)
