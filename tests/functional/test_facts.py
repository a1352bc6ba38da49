"""
The behavior of the daemons that the code relies on, where they differ and where they are surprising, checked by raw
requests to each daemon.

The documentation of the daemon facts lists them under the same names. A row that fails on a newer daemon is not a
defect of the code: check the code and the documentation against the new behavior.
"""

import re
from pathlib import Path

import pytest

from tests.functional.facts import core as facts_core
from tests.functional.facts import exec as facts_exec
from tests.functional.facts import files as facts_files
from tests.functional.facts import instance_info as facts_inside
from tests.functional.facts import network as facts_network
from tests.functional.facts import server as facts_server
from tests.functional.facts import storage as facts_storage
from tests.support import version_words
from tests.support.fact_probe import Asked

DAEMONS = ("lxd", "incus", "incus7")
# The LXD of Debian 13 answers as that of Debian 12, with these exceptions.
OF_DEBIAN_13 = {
    "console_of_nothing": 404,
    "copy_profiles": ["rooted"],
    "instances_in_order": ["a", "b"],
    "log_absent": 404,
    "pool_etag": True,
    "server_failed_patch": (500, None, ["7", "10"]),
    "server_refused_patch": (400, False),
    "volatile_keys": ["volatile.uuid", "volatile.uuid.generation"],
    "wait_failed": "error",
    "wait_timeout": "error",
}
FACTS = (facts_core, facts_exec, facts_files, facts_inside, facts_server, facts_network, facts_storage)
DIFFERS = {ask: answers for facts in FACTS for ask, answers in facts.DIFFERS.items()}
ALIKE = {ask: answer for facts in FACTS for ask, answer in facts.ALIKE.items()}
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "daemon-differences.rst"


def names(facts):
    """Return the names of the facts."""
    return [ask.__name__ for ask in facts]


@pytest.mark.parametrize("ask", DIFFERS, ids=names(DIFFERS))
def test_known_difference_still_exists(daemon, image, ask):
    expected = dict(zip(DAEMONS, DIFFERS[ask]))
    expected["lxd13"] = OF_DEBIAN_13.get(ask.__name__, expected["lxd"])
    assert ask(Asked(daemon, image)) == expected[daemon.name]


@pytest.mark.mainly("lxd")
@pytest.mark.parametrize("ask", ALIKE, ids=names(ALIKE))
def test_known_common_behaviour_still_holds(daemon, image, ask):
    assert ask(Asked(daemon, image)) == ALIKE[ask]


@pytest.mark.parametrize("number, facts", [(1, DIFFERS), (2, ALIKE)], ids=["differs", "alike"])
def test_document_has_a_row_for_each_fact(number, facts):
    table = DOCUMENT.read_text(encoding="utf-8").split(".. list-table::")[number]
    rows = re.split(r"^   \* - ", table, flags=re.MULTILINE)[2:]
    found = [re.findall(r"^     - (\w+)$", row, re.MULTILINE)[-1] for row in rows]
    assert sorted(set(found)) == sorted(names(facts))


def test_listed_differences_really_differ():
    assert [ask.__name__ for ask, answers in DIFFERS.items() if answers[0] == answers[1] == answers[2]] == []


@pytest.mark.only(*DAEMONS)
def test_words_about_versions_agree_with_the_daemon(daemon):
    facts = daemon.ask("GET", "/1.0")
    extensions, version = facts["api_extensions"], facts["environment"]["server_version"]
    name, label = f"{daemon.server}-{version}", {"lxd": "LXD", "incus": "Incus"}[daemon.server]
    wrong = [
        claim for claim in version_words.claims() if version_words.promised(claim[1], name) != (claim[0] in extensions)
    ]
    wrong += [claim for claim in version_words.lacks() if claim[1] == f"{label} {version}" and claim[0] in extensions]
    assert wrong == []
