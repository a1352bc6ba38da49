"""
The words about the versions with an API extension agree with the OpenAPI files, where those show the extension.
"""

import re

import pytest
from lxdapi.model.kinds import KINDS

from tests.support import contract
from tests.support.version_words import claims, lacks, others, promised

# extension: (path, field) by which the files show it
SHOWN = {extension: entry for entry, extension in contract.EXTENSIONS.items()}
SHOWN.update(
    {kind.extension: re.sub(r"{\w+}", "{}", kind.path).rpartition("/")[0] for kind in KINDS.values() if kind.extension}
)


@pytest.mark.parametrize("extension, words", sorted(claims()))
def test_words_about_versions_agree_with_the_files(extension, words):
    if contract.missing():
        pytest.skip(contract.missing())
    shown = {
        name: contract.knows(contract.spec(name), SHOWN[extension]) for name in contract.FILES if extension in SHOWN
    }
    assert {name: promised(words, name) for name in shown} == shown


@pytest.mark.parametrize("extension, label", sorted(lacks()))
def test_words_about_missing_extensions_agree_with_the_files(extension, label):
    name = label.lower().replace(" ", "-")
    assert name in contract.FILES
    if extension in SHOWN and not contract.missing():
        assert not contract.knows(contract.spec(name), SHOWN[extension])


# Words that no file shows: LXD refuses or accepts something without an API extension of its own.
UNSHOWN = {"LXD 6.8 or newer", "LXD 6.8 and newer", "LXD 5.21 or newer", "LXD 5.21 and newer"}


def test_other_words_about_versions_are_known():
    assert others() == UNSHOWN


def test_words_about_versions_are_found():
    assert {"instances_rebuild", "custom_volume_iso", "clustering_evacuation_mode", "oidc"} <= {e for e, _ in lacks()}
    assert {"network_load_balancer", "network_address_set", "projects_force_delete"} <= {each for each, _ in claims()}
    assert len(claims()) > 10


@pytest.mark.parametrize(
    "words, name, expected",
    [
        ("LXD 5.21.5 or 6.6 or newer, every Incus", "lxd-5.21.7", True),
        ("LXD 5.21.5 or 6.6 or newer, every Incus", "lxd-5.0.2", False),
        ("LXD 5.21.5 or 6.6 or newer, every Incus", "incus-6.0.4", True),
        ("Incus 6.12 or newer", "incus-6.0.4", False),
        ("Incus 6.12 or newer", "incus-7.0.1", True),
        ("Incus 7", "lxd-6.9", False),
    ],
)
def test_promise_of_words_is_understood(words, name, expected):
    assert promised(words, name) is expected
