"""
Warnings: acknowledged by UUID and by type, and removed; states succeed without any warning.
"""

import pytest

ACKNOWLEDGED, ABSENT = "lxdapi_warning.acknowledged", "lxdapi_warning.absent"


@pytest.fixture
def listed(daemon):
    """Read the warnings, past the code under test: ``{uuid: (type, status)}``."""

    def read():
        return {each["uuid"]: (each["type"], each["status"]) for each in daemon.ask("GET", "/1.0/warnings?recursion=1")}

    return read


@pytest.fixture
def warned(daemon, listed):
    """The warnings of a start, all of them new."""
    daemon.restart()
    for uuid in listed():
        daemon.ask("PUT", f"/1.0/warnings/{uuid}", {"status": "new"})
    assert len(listed()) > 1
    return listed()


def test_warnings_are_acknowledged_by_uuid_or_type_and_removed(apply, warned, listed):
    first, *others = sorted(warned)
    assert apply.changed(ACKNOWLEDGED, first) == {first: {"status": {"old": "new", "new": "acknowledged"}}}
    assert [listed()[uuid][1] for uuid in others] == ["new"] * len(others)
    kind = warned[others[0]][0]
    alike = {uuid for uuid in others if warned[uuid][0] == kind}
    changes = apply.changed(ACKNOWLEDGED, kind)
    assert changes == {uuid: {"status": {"old": "new", "new": "acknowledged"}} for uuid in alike}
    assert {listed()[uuid][1] for uuid in alike} == {"acknowledged"}
    assert apply.changed(ABSENT, first) == {first: {"deleted": first}}
    changes = apply.changed(ABSENT, kind)
    assert {uuid for uuid in alike if uuid in changes} == alike
    assert not ({first} | alike) & set(listed())


def test_missing_warning_is_no_failure(apply, daemon):
    for function in (ACKNOWLEDGED, ABSENT):
        apply.unchanged(function, "Nothing of the kind")
        apply.unchanged(function, "01234567-89ab-cdef-0123-456789abcdef")


def test_warning_cannot_be_created(salt, daemon):
    with pytest.raises(ValueError, match="only the daemon creates warnings"):
        salt.modules["lxdapi.create"]("warning", "x", {"status": "new"})
