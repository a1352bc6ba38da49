"""
The values that a refused request sent: named if the error leaves them out.
"""

import json
from types import SimpleNamespace

import pytest
from lxdapi import sent_values

BODY = {"config": {"limits.cpu": "403", "user.password": "canary"}, "devices": {"eth0": {"type": "nic", "mtu": "true"}}}


def described(error, body):
    """Return the clause for a request with this body."""
    return sent_values.describe(SimpleNamespace(body=json.dumps(body)), error)


@pytest.mark.parametrize(
    "error, clause",
    [
        ('Invalid value for device option "mtu": a number is needed', "; sent: eth0 mtu 'true'"),
        ('Invalid value for a boolean "403"', "; sent: config limits.cpu '403'"),
        ('Invalid limits.cpu "403"', ""),
        ("Invalid syntax", "; sent: config limits.cpu '403', eth0 mtu 'true'"),
        ("Profile not found", ""),
        ("No type of this network", ""),
        ("Unknown configuration key: limits.cpu", ""),
        ("Bad limits.cpu.nodes", ""),
    ],
)
def test_values_that_the_error_leaves_out_are_named(error, clause):
    assert described(error, BODY) == clause


@pytest.mark.parametrize(
    "error, body, clause",
    [
        ("Invalid CPU limit syntax", {"config": {"limits.cpu": "1e3"}}, "config limits.cpu '1e3'"),
        ("Invalid value: 1e9", {"config": {"limits.memory": "1e9"}}, "config limits.memory '1e9'"),
        ("Unknown driver", {"type": "Bridge", "config": {}}, "type 'Bridge'"),
        (
            "Invalid ingress rule 0: Action must be one of: allow, drop",
            {"ingress": [{"action": "true", "state": "enabled"}]},
            "ingress 1 action 'true'",
        ),
        ("Invalid listen port", {"ports": [{"listen_port": "0"}, {"listen_port": "80"}]}, "ports 1 listen_port '0', "),
        ('Cannot use "nictype" for "eth0"', {"devices": {"eth0": {"name": "eth0", "nictype": "p2p"}}}, "eth0 nictype"),
    ],
)
def test_value_of_any_part_of_the_body_is_named(error, body, clause):
    assert described(error, body).startswith(f"; sent: {clause}")


def test_secret_value_is_masked():
    clause = described("Bad user.password", BODY)
    assert "user.password" in clause and "canary" not in clause


@pytest.mark.parametrize("body", [None, [], {}, {"config": None, "devices": {"eth0": None}}])
def test_body_without_values_has_no_clause(body):
    assert described("Invalid value", body) == "" == sent_values.describe(None, "Invalid value")
