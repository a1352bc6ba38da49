"""
Fixtures for unit tests: a clean environment, no daemon, no network.
"""

import pytest
from hypothesis import settings

from tests.support.examples import examples

# The same examples in each run, so that a failure can be reproduced everywhere.
settings.register_profile("unit", database=None, deadline=None, derandomize=True, max_examples=examples(80))
settings.load_profile("unit")

_SPEAKING = ("DEBUG", "INCUS_SOCKET", "INCUS_DIR", "LXD_SOCKET", "LXD_DIR")


@pytest.fixture(autouse=True)
def silent_environment(monkeypatch):
    """Remove the environment variables that would influence the tests."""
    for name in _SPEAKING:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def without_builds(monkeypatch):
    """Build no archive of Salt and no Python: an instance on paper does not take them."""
    from lxdapi.salt_inside import start, thin

    archive = thin.Thin("archive", "0" * 64, 0)
    for name, made in (("thin", archive), ("bundle_name", "python"), ("thin_name", "thin")):
        monkeypatch.setattr(start.Store, name, lambda *given, made=made: made)


@pytest.fixture
def contract_kept():
    """Check each request that the library sends against the OpenAPI files of the daemons; see contract.py."""
    from tests.support import contract

    with contract.recording() as sent:
        yield
    assert contract.violations(sent) == []
