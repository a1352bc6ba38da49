"""
The transfer of an instance to another daemon: the choice of the mode, its request, and the relayed frames.
"""

import os
import socket
import threading

import pytest
from lxdapi.errors import InvalidError
from lxdapi.http import websocket_relay
from lxdapi.instances import copy, transfer

from tests.support.fake_transport import Paper
from tests.support.model_daemon import Model


class Somewhere:
    """A daemon at some endpoint, with its listen addresses."""

    def __init__(self, endpoint, *addresses, fingerprint=None):
        self.endpoint, self.local = endpoint, endpoint.startswith("http+unix")
        self.server = {
            "environment": {
                "addresses": list(addresses),
                "certificate_fingerprint": fingerprint or endpoint,
                "server": "incus",
                "server_version": "6.0.4",
            }
        }
        self.dialect = "Incus"


HERE, FAR = "http+unix://%2Fs", "https://far:8443"
LOOP, OUT = "127.0.0.1:8443", "10.0.0.1:8443"


@pytest.mark.parametrize(
    "source, there, mode, urls",
    [
        (Somewhere(HERE, OUT), Somewhere(FAR, OUT), "pull", [f"https://{OUT}"]),
        (Somewhere(HERE), Somewhere(FAR, OUT), "push", [FAR, f"https://{OUT}"]),
        (Somewhere(FAR, OUT), Somewhere(HERE), "pull", [FAR, f"https://{OUT}"]),
        (Somewhere(HERE, LOOP), Somewhere(FAR, LOOP), "push", [FAR]),
        (Somewhere(HERE, LOOP), Somewhere(HERE + "2"), "pull", [f"https://{LOOP}"]),
        (Somewhere(HERE, "[::1]:8443"), Somewhere(FAR), "relay", []),
        (Somewhere(HERE), Somewhere(HERE + "2"), "relay", []),
    ],
)
def test_route_depends_on_which_daemon_listens(source, there, mode, urls):
    way = transfer.choose_route(source, there)
    assert (way.mode, list(way.urls)) == (mode, urls)
    assert way.why


def test_requested_mode_is_used_or_refused():
    source, there = Somewhere(HERE, OUT), Somewhere(FAR, OUT)
    assert [transfer.choose_route(source, there, mode).mode for mode in transfer.MODES] == list(transfer.MODES)
    with pytest.raises(InvalidError, match="mode pull: the source"):
        transfer.choose_route(Somewhere(HERE), there, "pull")
    with pytest.raises(InvalidError, match="expected one of pull, push, relay for mode"):
        transfer.choose_route(source, there, ["pull"])


def lxd(*addresses, extensions=("bulk_operations",), project="r", restricted="true"):
    """Return the API of an LXD in a project."""
    environment = {"server": "lxd", "addresses": list(addresses)}
    facts = {"api_extensions": list(extensions), "environment": environment}
    model = Model({f"projects/{project}": {"config": {"restricted": restricted}, "description": ""}}, facts=facts)
    return Paper(model, project=project).api


WORDS = "LXD refuses pull into the restricted project r"


@pytest.mark.parametrize(
    "target, route",
    [
        (lxd(), f"relay: {WORDS}, and the target does not listen on https where the source can reach it"),
        (lxd(OUT), f"push: the target listens on https://{OUT}, and {WORDS}"),
        (lxd(OUT, restricted="false"), f"pull: the source listens on https://{OUT}"),
        (lxd(OUT, extensions=()), f"pull: the source listens on https://{OUT}"),
        (lxd(OUT, project="default"), f"push: the target listens on https://{OUT}, and {WORDS[:-1]}default"),
    ],
)
def test_restricted_project_of_new_lxd_is_entered_without_pull(target, route):
    assert str(transfer.choose_route(Somewhere(HERE, OUT), target)) == route


def test_pull_into_restricted_project_of_new_lxd_is_refused():
    with pytest.raises(InvalidError, match=f"mode pull: {WORDS}: use push or relay, or omit mode"):
        transfer.choose_route(Somewhere(HERE, OUT), lxd(OUT), "pull")
    assert transfer.choose_route(Somewhere(HERE, OUT), lxd(OUT), "relay").why == "it is declared"


def test_cluster_members_count_as_the_same_daemon():
    assert transfer.is_same_daemon(Somewhere(HERE, fingerprint="a"), Somewhere(FAR, fingerprint="a"))
    assert not transfer.is_same_daemon(Somewhere(HERE, fingerprint="a"), Somewhere(FAR, fingerprint="b"))


def test_copy_gets_a_new_identity_and_moved_instance_keeps_it():
    config = {
        "user.a": "1",
        "volatile.base_image": "b",
        "volatile.eth0.hwaddr": "m",
        "volatile.eth0.host_name": "veth",
        "volatile.cloud-init.instance-id": "i",
        "volatile.uuid": "u",
        "volatile.uuid.generation": "g",
        "volatile.last_state.power": "STOPPED",
    }
    assert set(transfer.portable_config(config)) == {"user.a", "volatile.base_image"}
    more = {"volatile.eth0.hwaddr", "volatile.cloud-init.instance-id", "volatile.uuid"}
    assert set(transfer.portable_config(config, moved=True)) == {"user.a", "volatile.base_image"} | more


def test_each_difference_of_a_copy_is_named():
    found = {
        "description": "x",
        "config": {"user.a": "1", "user.b": "1", "volatile.x": "1", copy.MIGRATING_KEY: "m"},
        "devices": {"a": {"type": "none"}, "b": {"type": "none"}},
        "profiles": ["default"],
    }
    wanted = {
        "description": "x",
        "config": {"user.a": "2", "user.c": "1"},
        "devices": {"a": {"type": "disk"}, "c": {}},
        "profiles": [],
    }
    assert copy.differences(found, wanted) == [
        "profiles",
        *("config user.a", "config user.b", "config user.c"),
        *("device a", "device b", "device c"),
    ]


def frame(payload, masked):
    """Return a frame in the form of a server or a client."""
    size = len(payload)
    wide = size >= 65536
    length = bytes([size]) if size < 126 else bytes([126 + wide]) + size.to_bytes(8 if wide else 2, "big")
    head = b"\x82" + bytes([length[0] | (0x80 if masked else 0)]) + length[1:]
    return head + (b"\0\0\0\0" if masked else b"") + payload


def test_frames_are_masked_in_pieces_of_any_size():
    payloads = [os.urandom(size) for size in (0, 1, 125, 126, 65535, 65536, 200000, 0, 5)]
    data, expected = (b"".join(frame(each, masked) for each in payloads) for masked in (False, True))
    for size in (1, 7, 4096, 65537, len(data)):
        masking = websocket_relay.FrameMasker()
        assert b"".join(masking.feed(data[at : at + size]) for at in range(0, len(data), size)) == expected


def test_relay_passes_data_and_end(monkeypatch):
    sides = {}

    class Connection(socket.socket):
        """The near end of a pair of sockets."""

        def pending(self):
            """Return False: a poll sees all received data."""
            return 0

    def connect(api, path, query, secret):
        ours, sides[api, secret] = socket.socketpair()
        return Connection(fileno=ours.detach())

    monkeypatch.setattr(websocket_relay.websocket, "connect", connect)
    payload = os.urandom(3000000)
    one, other = ((each, "/1.0/operations/1", {}, {"control": "c", "fs": "f"}) for each in ("one", "other"))
    with websocket_relay.join(one, other):
        sender, reader = sides["one", "f"], sides["other", "f"]
        sending = threading.Thread(target=lambda: (sender.sendall(frame(payload, False)), sender.close()))
        sending.start()
        got = b""
        while len(got) < len(frame(payload, True)):
            got += reader.recv(1 << 20)
        assert got == frame(payload, True)
        assert reader.recv(1) == b""
        sending.join(10)
