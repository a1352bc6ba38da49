"""
Names of instances as hosts of ssh.
"""

import pytest
from lxdapi.salt_ssh import hosts


@pytest.fixture(autouse=True)
def remotes(monkeypatch):
    monkeypatch.setenv(hosts.REMOTES, "[]")
    hosts.share_remotes([{}, {"endpoint": "/b", "project": "own"}])


@pytest.mark.parametrize(
    "arguments, settings",
    [
        (("web1", "default", 0), {"project": "default"}),
        (("web1", "a.b.2", 1), {"endpoint": "/b", "project": "a.b.2"}),
    ],
)
def test_host_names_its_instance(arguments, settings):
    host = hosts.format_host(*arguments)
    assert hosts.is_instance(host) and hosts.parse_host(host) == ("web1", settings)


def test_host_without_a_project_is_of_the_local_daemon():
    assert hosts.parse_host("web1.lxdapi") == ("web1", {})


@pytest.mark.parametrize("host", ["web1.default.2.lxdapi", "web1.default.x.lxdapi", "web1.shop.lxdapi"])
def test_unknown_host_names_the_roster(host):
    with pytest.raises(ValueError, match="use it with salt-ssh --roster=lxdapi"):
        hosts.parse_host(host)
