"""
Any valid config in any spelling: it is predicted, applied, and then nothing is left to do.

The same few examples in each run; with --long 40 times as many others, different in each run.
"""

from dataclasses import dataclass, field
from typing import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import tried

UNITS = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
TRUE = ("true", "1", "yes", "on")
# Each removes a key.
REMOVED = st.sampled_from([None, ""])


def _size(text):
    digits = "".join(filter(str.isdigit, text))
    return int(digits) * UNITS[text[len(digits) :]]


@dataclass(frozen=True)
class Values:
    """Values of one type in all their spellings, and their meaning."""

    spelled: st.SearchStrategy
    sense: Callable


ALPHABET = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
LINES = [
    "a\n",
    "\n",
    " x ",
    "a\r\nb\r\n",
    "é",
    "\U0001f600",
    "yes",
    "True",
    "1",
    "1GiB",
    "null",
    "{}",
    "- a: b",
    "'",
    "\\",
    "\u2028",
]
DOCUMENTS = ["#cloud-config\na: 1\n", "#cloud-config\na:   1", "a: 1", "#cloud-config\na: 2\n", "a: [", "text"]
BOOLS = Values(
    st.sampled_from([True, False, 1, 0, "true", "false", "True", "FALSE", "yes", "No", "on", "OFF", "1", "0"]),
    lambda text: text.lower() in TRUE,
)
NUMBERS = Values(st.integers(1, 99) | st.integers(1, 99).map(str) | st.sampled_from(["007", "10"]), int)
SIZES = Values(
    st.integers(1, 2**40) | st.builds("{}{}".format, st.integers(1, 4096), st.sampled_from(sorted(UNITS))), _size
)
TEXT = Values(st.sampled_from(LINES) | st.text(ALPHABET, min_size=1, max_size=30), str)
DOCUMENT = Values(
    st.sampled_from(DOCUMENTS) | TEXT.spelled,
    lambda text: text.replace(":   1", ": 1").rstrip() if text in DOCUMENTS[:2] else text,
)
PRIORITIES = Values(st.integers(-9, 9) | st.integers(-9, 9).map(str), int)
MTUS = Values(st.integers(1280, 1500) | st.sampled_from(["1400", "1500"]), int)
RATES = Values(
    st.sampled_from(["1Mbit", "1000kbit", "1000000bit", "8Mbit"]),
    lambda text: int(text.replace("bit", "").replace("M", "000k").replace("k", "000")),
)
LINE = Values(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=9), str)


def words(*given_words):
    """Return values with a single spelling."""
    return Values(st.sampled_from(given_words), str)


USER = {"user.a": TEXT, "user.b": TEXT, "user.ü /x: y": TEXT, "user.api_token": TEXT}
KEYS_OF_INSTANCES = {
    **USER,
    "user.user-data": DOCUMENT,
    "boot.autostart": BOOLS,
    "boot.autostart.delay": NUMBERS,
    "boot.autostart.priority": PRIORITIES,
    "boot.host_shutdown_timeout": NUMBERS,
    "cluster.evacuate": words("auto", "stop"),
    "environment.A": LINE,
    "limits.cpu": Values(st.integers(1, 4) | st.sampled_from(["2", "0-1"]), str),
    "limits.hugepages.2MB": SIZES,
    "limits.memory": SIZES,
    "limits.memory.swap": BOOLS,
    "limits.processes": NUMBERS,
    "raw.lxc": words("# one", "# one\n", "# é\n"),
    "security.nesting": BOOLS,
    "security.privileged": BOOLS,
    "security.syscalls.intercept.mknod": BOOLS,
    "snapshots.expiry": words("1d", "2H 3d"),
    "snapshots.pattern": words("snap%d", "{{ creation_date }}"),
    "snapshots.schedule": words("@daily", "0 6 * * *"),
}
KEYS_OF_PROJECTS = {
    **USER,
    "features.images": BOOLS,
    "features.storage.volumes": BOOLS,
    "images.auto_update_cached": BOOLS,
    "images.auto_update_interval": NUMBERS,
    "limits.cpu": NUMBERS,
    "limits.disk": SIZES,
    "limits.instances": NUMBERS,
    "limits.memory": SIZES,
    "limits.processes": NUMBERS,
    "restricted": BOOLS,
    "restricted.backups": words("allow", "block"),
    "restricted.containers.nesting": words("allow", "block"),
    "restricted.devices.nic": words("allow", "block", "managed"),
    "restricted.networks.access": words("a", "a,b", "b,a"),
    "restricted.snapshots": words("allow", "block"),
}
KEYS_OF_NETWORKS = {
    **USER,
    "bridge.mtu": MTUS,
    "dns.domain": words("shop.test", "example.net"),
    "dns.mode": words("managed", "dynamic", "none"),
    "ipv4.address": words("none", "none", "none", "{address}"),
    "ipv4.dhcp": BOOLS,
    "ipv4.firewall": BOOLS,
    "ipv4.nat": BOOLS,
    "ipv6.address": words("none"),
    "ipv6.nat": BOOLS,
}
KEYS_OF_DEVICES = {
    "limits.ingress": RATES,
    "mtu": MTUS,
    "readonly": BOOLS,
    "required": BOOLS,
    "security.mac_filtering": BOOLS,
}


def optional(*keys):
    """Return strategies for the keys of a device."""
    return {key: KEYS_OF_DEVICES[key].spelled | REMOVED for key in keys}


DISKS = st.fixed_dictionaries(
    {"type": st.just("disk"), "source": st.just("/tmp"), "path": st.sampled_from(["/t", "/t/"])},
    optional=optional("readonly", "required"),
)
NICS = st.fixed_dictionaries(
    {"type": st.just("nic"), "nictype": st.just("bridged"), "parent": st.just("nope0")},
    optional=optional("limits.ingress", "mtu", "security.mac_filtering"),
)
NONE = st.none() | st.just({"type": "none"})
DEVICES = st.fixed_dictionaries({}, optional={"tmp": NONE | DISKS, "eth0": NONE | NICS})


FIELDS_OF_INSTANCES = {"devices": DEVICES}
FOREIGN = {"user.foreign": "x", "user.a": "1"}
ADDRESSES = {"ipv4.address": "none", "ipv6.address": "none"}
NOTHING = {"description": "", "config": {}, "devices": {}}


@dataclass(frozen=True)
class Kind:
    """
    The declarations of one kind, and the beginning of each example.

    keys
        The keys of its config.
    kept
        Prefixes of the keys that the daemon adds and that an empty config keeps.
    fields
        Strategies for fields other than config and description.
    made
        Fields of the POST that creates the object, besides its name.
    needed
        Parameters that a declaration of a new object needs.
    created_by_test
        False: its creation takes so long that it is restored instead.
    """

    state: str
    path: str
    keys: dict
    kept: tuple = ()
    fields: dict = field(default_factory=dict)
    made: dict = field(default_factory=dict)
    needed: dict = field(default_factory=dict)
    created_by_test: bool = True

    def declared(self):
        """Return the strategy for declarations."""
        config = st.fixed_dictionaries({}, optional={key: v.spelled | REMOVED for key, v in self.keys.items()})
        listed = config.map(lambda found: [{key: value} for key, value in found.items()])
        fields = {"config": config | listed, "description": TEXT.spelled | st.just(""), **self.fields}
        return st.fixed_dictionaries({}, optional=fields)


INSTANCE = Kind(
    "lxdapi_instance",
    "instances/random",
    KEYS_OF_INSTANCES,
    ("volatile.", "image."),
    FIELDS_OF_INSTANCES,
    {"source": {"type": "none"}},
    {"source": "none"},
)
KINDS = {
    "instance": INSTANCE,
    "profile": Kind("lxdapi_profile", "profiles/random", KEYS_OF_INSTANCES, fields=FIELDS_OF_INSTANCES),
    "project": Kind("lxdapi_project", "projects/random", KEYS_OF_PROJECTS, ("features.",)),
    "network": Kind(
        "lxdapi_network",
        "networks/{bridge}",
        KEYS_OF_NETWORKS,
        ("volatile.",),
        made={"config": ADDRESSES},
        created_by_test=False,
    ),
}
# A bridge and its address for each daemon, because they share one network namespace.
BRIDGES = {
    "lxd": {"bridge": "random0", "address": "10.82.1.1/24"},
    "incus": {"bridge": "random6", "address": "10.82.6.1/24"},
    "incus7": {"bridge": "random7", "address": "10.82.7.1/24"},
    "lxd13": {"bridge": "random13", "address": "10.82.13.1/24"},
}


class Thing:
    """The object under test, on one daemon."""

    def __init__(self, word, apply, daemon):
        self.kind, self._apply, self._daemon = KINDS[word], apply, daemon
        self._own = BRIDGES[daemon.name]
        self.path = "/1.0/" + self.kind.path.format(**self._own)
        self.name = self.path.rpartition("/")[2]

    def read(self):
        """Return the object on the daemon, None if it does not exist."""
        status, reply = self._daemon.request("GET", self.path)
        return reply["metadata"] if status == 200 else None

    def put_back(self, data):
        """Restore the beginning of each example: an object with foreign keys, or no object."""
        exists = data.draw(st.booleans(), "exists") or not self.kind.created_by_test
        config = {**self.kind.made.get("config", {}), **FOREIGN}
        if self.kind.created_by_test and self.read() is not None:
            self._daemon.ask("DELETE", self.path)
        if self.read() is not None:
            self._daemon.ask("PUT", self.path, {"description": "", "config": config})
        elif exists:
            body = {**self.kind.made, "name": self.name, "config": config}
            self._daemon.ask("POST", self.path.rpartition("/")[0], body)

    def drawn(self, data, label):
        """Return the declaration."""
        return {**self.kind.needed, **_filled(data.draw(self.kind.declared(), label), self._own)}

    def apply(self, declared):
        """Return the changes of an apply that succeeded."""
        ret = self._apply(f"{self.kind.state}.present", self.name, **declared)
        assert ret["result"] is True, ret
        return ret["changes"]

    def predicted(self, declared):
        """Return the changes that test mode predicts."""
        ret = self._apply.predicted(f"{self.kind.state}.present", self.name, **declared)
        assert ret["result"] is (None if ret["changes"] else True), ret
        return ret["changes"]

    def silent(self, declared):
        """Check that nothing is left to do."""
        self._apply.unchanged(f"{self.kind.state}.present", self.name, **declared)

    def follows(self, before, declared):
        """Check that only the declared parts of the object have changed."""
        after = self.read()
        before = before or {**NOTHING, "config": {k: v for k, v in after["config"].items() if self._kept(k)}}
        expected = {
            "description": declared.get("description", before["description"]),
            "config": self._merged(before["config"], declared.get("config")),
            "devices": _devices(before.get("devices") or {}, declared.get("devices")),
        }
        assert self._sense(after) == self._sense(expected)

    def _kept(self, key):
        return bool(self.kind.kept) and key.startswith(self.kind.kept)

    def _ours(self, key):
        return key in self.kind.keys or not self._kept(key)

    def _merged(self, before, config):
        if isinstance(config, list):
            config = {key: value for each in config for key, value in each.items()}
        if config == {}:
            return {key: value for key, value in before.items() if self._kept(key)}
        return _merged(before, config or {})

    def _sense(self, found):
        devices = found.get("devices") or {}
        return {
            "description": found["description"],
            "config": _senses(self.kind.keys, {k: v for k, v in found["config"].items() if self._ours(k)}),
            "devices": {name: _senses(KEYS_OF_DEVICES, device) for name, device in devices.items()},
        }


def _filled(value, own):
    """Return a value with the address of the daemon's bridge."""
    if isinstance(value, dict):
        return {key: _filled(inner, own) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, own) for inner in value]
    return own["address"] if value == "{address}" else value


def _merged(before, given_keys):
    return {key: value for key, value in {**before, **given_keys}.items() if value not in (None, "")}


def _devices(before, devices):
    """Return the resulting devices: a device with the declared type keeps its other keys."""
    if devices == {}:
        return {}
    merged = dict(before)
    for name, device in (devices or {}).items():
        stays = device and merged.get(name, {}).get("type") == device["type"]
        merged[name] = device and _merged(merged[name] if stays else {}, device)
    return {name: device for name, device in merged.items() if device}


def _senses(keys, config):
    """Return the meaning of each value; for an unknown key, the text itself."""
    texts = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in config.items()}
    return {key: keys[key].sense(text) if key in keys else text for key, text in texts.items()}


def predicted_and_silent(thing, data):
    """Each declaration of an example is predicted exactly, and silent when it is repeated."""
    thing.put_back(data)
    declared = thing.drawn(data, "declared")
    expected = thing.predicted(declared)
    assert thing.apply(declared) == expected
    thing.silent(declared)
    assert thing.predicted(declared) == {}


def one_after_the_other(thing, data):
    """The last declaration is in effect, removed keys do not exist, and everything else stays."""
    thing.put_back(data)
    for label in ("first", "second"):
        before, declared = thing.read(), thing.drawn(data, label)
        thing.apply(declared)
        thing.follows(before, declared)


QUICK = pytest.mark.parametrize("word", [word for word, kind in KINDS.items() if kind.created_by_test])
FEW, FEWER = tried(12), tried(6)


@pytest.mark.mainly("lxd")
@QUICK
@FEW
@given(data=st.data())
def test_random_config_is_predicted_and_second_run_is_silent(word, apply, daemon, data):
    predicted_and_silent(Thing(word, apply, daemon), data)


@pytest.mark.mainly("incus7")
@QUICK
@FEW
@given(data=st.data())
def test_second_declaration_wins_and_undeclared_keys_stay(word, apply, daemon, data):
    one_after_the_other(Thing(word, apply, daemon), data)


@FEWER
@given(data=st.data())
def test_random_bridge_is_predicted_and_second_run_is_silent(apply, daemon, data):
    predicted_and_silent(Thing("network", apply, daemon), data)


@FEWER
@given(data=st.data())
def test_second_bridge_declaration_wins_and_the_rest_stays(apply, daemon, data):
    one_after_the_other(Thing("network", apply, daemon), data)
