"""
The master of an instance answers what a minion may ask, and nothing else.
"""

import pytest
import salt.channel.client
import salt.config
from lxdapi.salt_inside.master import Master


class Channel:
    """A connection to a master that records the requests."""

    def __init__(self):
        self.seen = []

    def send(self, load):
        """Record a request and return a reply."""
        self.seen.append(load)
        return {"nodegroups": {"others": "web*"}} if load["cmd"] == "_master_opts" else "reply"

    def close(self):
        """Close nothing."""


@pytest.fixture
def channel(monkeypatch):
    """The connection of the minion to its master."""
    made = Channel()
    monkeypatch.setattr(salt.channel.client.ReqChannel, "factory", lambda opts: made)
    return made


@pytest.fixture
def answer(channel):
    """Return a function that answers a request of the instance c1 on a minion with a master."""
    opts = {"id": "minion", "file_client": "remote", "pillar": {"own": "Hidden-1"}, "master_uri": "tcp://127.0.0.1:1"}
    return Master(opts, "c1", {"role": "web", "ports": {"http": 80}}).answer


def test_pillar_is_that_of_the_instance_without_a_request(answer, channel):
    load = {"cmd": "_pillar", "id": "c1", "grains": {}, "pillar_override": {"ports": {"ssh": 22}}}
    assert answer(load) == {"role": "web", "ports": {"http": 80, "ssh": 22}}
    assert answer({**load, "pillar_override": None}) == {"role": "web", "ports": {"http": 80}}
    assert channel.seen == []


def test_pillar_of_a_masterless_minion_stays_outside(tmp_path):
    opts = {**salt.config.DEFAULT_MINION_OPTS, "id": "minion", "file_client": "local", "cachedir": str(tmp_path)}
    roots = {"pillar_roots": {"base": [str(tmp_path)]}, "extension_modules": "", "pillar": {"own": "Hidden-1"}}
    answer = Master({**opts, **roots}, "c1", {"role": "web"}).answer
    assert answer({"cmd": "_pillar", "grains": {}}) == {"role": "web"}


@pytest.mark.parametrize("source", ["file", "ext_pillar", "pillar_opts"])
def test_pillar_of_any_source_is_compiled(tmp_path, source):
    opts = {**salt.config.DEFAULT_MINION_OPTS, "id": "minion", "file_client": "local", "cachedir": str(tmp_path / "c")}
    opts.update(pillar_roots={"base": [str(tmp_path / "pillar"), str(tmp_path / "missing")]}, extension_modules="")
    (tmp_path / "pillar").mkdir()
    ask = {"cmd": "_pillar", "grains": {"id": "c1"}}
    assert Master(opts, "c1").answer(ask) == {}
    if source == "file":
        (tmp_path / "pillar" / "top.sls").write_text("base:\n  c1:\n    - role\n")
        (tmp_path / "pillar" / "role.sls").write_text("role: web\n")
        assert Master(opts, "c1").answer(ask) == {"role": "web"}
    elif source == "ext_pillar":
        opts["ext_pillar"] = [{"cmd_json": 'echo \'{"role": "web"}\''}]
        assert Master(opts, "c1").answer(ask) == {"role": "web"}
    else:
        assert Master({**opts, "pillar_opts": True}, "c1").answer(ask)["master"]["id"] == "c1"


def test_files_are_requested_in_the_name_of_the_minion(answer, channel):
    assert answer({"cmd": "_serve_file", "path": "a", "id": "c1", "tok": b"x"}) == "reply"
    assert channel.seen == [{"cmd": "_serve_file", "path": "a", "id": "minion"}]


def test_masters_at_the_same_time_share_a_file_server(tmp_path, monkeypatch):
    opts = {**salt.config.DEFAULT_MINION_OPTS, "id": "m", "file_client": "local", "cachedir": str(tmp_path)}
    opts.update(file_roots={"base": [str(tmp_path)]}, extension_modules="", fileserver_backend=["roots"])
    updates = []
    monkeypatch.setattr(salt.fileserver.Fileserver, "update", lambda self: updates.append(self))
    ask, numbers = {"cmd": "_file_list", "saltenv": "base", "prefix": ""}, []
    for count in (2, 1):
        masters = [Master(opts, f"c{number}") for number in range(count)]
        assert [master.answer(ask) for master in masters] == [[]] * count
        for master in masters:
            master.close()
        numbers.append(len(updates))
    assert numbers == [1, 2]


@pytest.mark.parametrize("sealed, groups", [(True, {}), (False, {"others": "web*"})])
def test_sealed_instance_learns_no_nodegroups(channel, sealed, groups):
    opts = {"id": "minion", "file_client": "remote", "master_uri": "tcp://127.0.0.1:1"}
    assert Master(opts, "c1", sealed=sealed).answer({"cmd": "_master_opts"}) == {"nodegroups": groups}


@pytest.mark.parametrize(
    "load",
    [
        {"cmd": "_mine_get"},
        {"cmd": "minion_publish", "fun": "cmd.run"},
        {"cmd": "_return"},
        {"cmd": None},
        {},
        "x",
        None,
    ],
    ids=str,
)
def test_other_requests_get_an_empty_reply(answer, channel, load):
    assert answer(load) == {}
    assert channel.seen == []


def test_events_are_sent_where_a_bus_exists():
    sent = []
    master = Master({"file_client": "local"}, "c1", send_event=lambda tag, data: sent.append((tag, data)) or True)
    assert master.answer({"cmd": "_minion_event", "tag": "a/b", "data": {"x": 1}}) is True
    assert sent == [("a/b", {"x": 1})]
    assert Master({"file_client": "local"}, "c1").answer({"cmd": "_minion_event", "tag": "a/b"}) is True


def test_instance_learns_no_other_options_of_this_machine():
    opts = {"file_client": "local", "renderer": "jinja|yaml", "saltenv": "dev", "master_pass": "Hidden-2", "id": "m"}
    master = Master(opts, "c1")
    shown = {"renderer": "jinja|yaml", "file_roots": {}, "nodegroups": {}}
    assert master.answer({"cmd": "_master_opts"}) == shown
    assert master.options() == {"saltenv": "dev"}
