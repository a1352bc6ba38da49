"""
The highstate of examples/ on a minion that has never synced.
"""

import shutil

import pytest

from tests.support.salt_commands import REPO
from tests.support.web_server_life import by_id


@pytest.mark.mainly("lxd")
def test_first_highstate_syncs_and_second_changes_nothing(make_salt, daemon, image, tmp_path):
    shutil.copy(image, tmp_path / "busybox.tar.gz")
    local = {"remotes": {"local": daemon.socket}}
    salt = make_salt("highstate", roots=[tmp_path, REPO / "examples", REPO], lxdapi=local)
    assert changed(salt) == {"busybox", "web", "web1", "web2"}
    found = daemon.ask("GET", "/1.0/instances?recursion=1")
    assert {instance["name"]: instance["status"] for instance in found} == {"web1": "Running", "web2": "Running"}
    assert changed(salt) == set()


def changed(salt):
    """Return the IDs of the states that changed something in a highstate without failures."""
    answers = by_id(salt.call("state.apply").result())
    return {name for name, answer in answers.items() if answer["changes"]}
