"""
A real master and a real minion: modules synced from the master, states applied by ``salt``.
"""

import pytest
from life import arguments


@pytest.fixture(scope="module")
def salt(master, minion):
    """Run ``salt minion ...`` and return what the minion answered."""
    command = master.salt_cli(timeout=60)

    def run(*words):
        answer = command.run(*words, minion_tgt=minion.id)
        assert answer.returncode == 0, answer
        return answer.data

    copied = run("saltutil.sync_all")
    for kind in ("modules", "states", "utils"):
        assert f"{kind}.lxdapi_image" in copied[kind]
    return run


def test_a_web_server_lives_as_declared_through_the_master(salt, life):
    web = life(lambda sls, remote, **more: salt(*arguments(sls, remote, **more)))
    web.begins()
    web.goes_on()
    web.ends()


def test_functions_answer_through_the_master(salt, daemon, imported):
    server = salt("lxdapi.server", f"remote={daemon.name}")
    assert server["server"] == daemon.server
    assert salt("lxdapi.list", "image", f"remote={daemon.name}") == [imported]


def test_a_minion_that_salt_call_asks_finds_the_synced_modules(salt, minion, daemon):
    answer = minion.salt_call_cli(timeout=60).run("lxdapi.list", "profile", f"remote={daemon.name}")
    assert answer.data == ["default"], answer
