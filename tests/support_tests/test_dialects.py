"""
The dialects answer as the OpenAPI files of their daemons say, if those are available.
"""

import re

import pytest
from lxdapi.model.kinds import KINDS

from tests.support import contract, dialects
from tests.support.dialects import DIALECTS


@pytest.fixture(params=sorted(DIALECTS))
def known(request):
    """A dialect and the OpenAPI file of its daemon."""
    if contract.missing():
        pytest.skip(contract.missing())
    return DIALECTS[request.param], contract.spec(request.param)


def test_dialect_has_the_extensions_of_its_file(known):
    dialect, file = known
    listed = {entry: extension in dialect.extensions for entry, extension in contract.EXTENSIONS.items()}
    # lxdapi requires it only of a server that offers no tokens, and has a table for a server without the metadata
    unlisted = {"macaroon_authentication", "metadata_configuration"}
    expected = {entry: contract.knows(file, entry) for entry, extension in contract.EXTENSIONS.items()}
    differing = {entry for entry in listed if listed[entry] != expected[entry]}
    assert {contract.EXTENSIONS[entry] for entry in differing} <= unlisted


def test_the_writes_of_a_dialect_are_operations_as_in_its_file(known):
    dialect, file = known
    paths = {re.sub(r"\{\w+\}", "{}", path) for kind in KINDS.values() for path in (kind.path, kind.collection)}
    writes = [(method, f"/1.0/{path}") for path in paths if path for method in ("POST", "PUT", "PATCH", "DELETE")]
    wrong = [write for write in writes if file.statuses(*write) and not _plays(dialect, file, *write)]
    assert wrong == []


def _plays(dialect, file, method, path):
    """Return whether the dialect makes an operation only of a write that is one in the file."""
    since_6_8 = dialect.since_6_8 and dialects.is_asynchronous(method, path.replace("{}", "x"))
    return not since_6_8 or "202" in file.statuses(method, path)


def test_lxd_6_9_plays_every_operation_that_5_21_lacks():
    if contract.missing():
        pytest.skip(contract.missing())
    older, newer = contract.spec("lxd-5.21.7"), contract.spec("lxd-6.9")
    fresh = [each for each in newer.writes() if "202" in newer.statuses(*each) and each in older.writes()]
    fresh = [each for each in fresh if "202" not in older.statuses(*each)]
    assert len(fresh) > 40
    assert [each for each in fresh if not dialects.is_asynchronous(each[0], each[1].replace("{}", "x"))] == []
