"""
Declared conditions to wait for, and the ports in the text of /proc/net/tcp.
"""

import pytest
from lxdapi.errors import InvalidError
from lxdapi.instances import wait_for as waiting

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:9C40 0100007F:0016 01 00000000:00000000 00:00000000 00000000     0        0 2 1
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000
"""


def test_listening_ports_are_parsed():
    assert waiting.listening_ports(TCP) == {22, 8080}
    assert waiting.listening_ports("") == waiting.listening_ports("cat: nothing\n") == set()
    assert waiting.listening_ports("a b:zz c 0A\nd e c 0A\n") == set(), "what cat writes is the instance's own"


def test_each_condition_has_the_timeout_of_its_mapping():
    wait_for = [{"ipv4": "eth0", "ready": True, "timeout": 5}, {"port": "80"}, {"cmd": ["test", "-e", "/x"]}]
    assert waiting.parse_conditions(wait_for) == [
        ("ipv4", "eth0", 5),
        ("ready", None, 5),
        ("port", 80, None),
        ("cmd", ["test", "-e", "/x"], None),
    ]
    assert waiting.parse_conditions({"agent": True}) == [("agent", None, None)]
    assert waiting.parse_conditions(None) == waiting.parse_conditions([]) == []


@pytest.mark.parametrize(
    "wait_for",
    [
        "ready",
        ["ready"],
        5,
        {},
        {"timeout": 5},
        {"ready": False},
        {"ready": "yes", "timeout": -1},
        {"ready": True, "timeout": "5"},
        {"nothing": True},
        {"ipv4": ""},
        {"ipv6": True},
        {"port": 0},
        {"port": 65536},
        {"port": "eth0:80"},
        {"port": True},
        {"cmd": ""},
        {"cmd": []},
    ],
    ids=str,
)
def test_invalid_wait_for_is_refused(wait_for):
    with pytest.raises(InvalidError):
        waiting.parse_conditions(wait_for)
