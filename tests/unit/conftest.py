"""
What unit tests stand on: the library on the path, a clean environment, no daemon, no network.
"""

import pytest
from hypothesis import settings

from tests.support.examples import examples

# The same examples in each run: what is red here is red everywhere.
settings.register_profile("unit", database=None, deadline=None, derandomize=True, max_examples=examples(80))
settings.load_profile("unit")

_SPEAKING = ("DEBUG", "INCUS_SOCKET", "INCUS_DIR", "LXD_SOCKET", "LXD_DIR")


@pytest.fixture(autouse=True)
def silent_environment(monkeypatch):
    """No variable of the person who runs the tests has a say in them."""
    for name in _SPEAKING:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def contract_kept():
    """Nothing that the test makes the library send is unknown to a daemon's OpenAPI file; see contract.py."""
    from tests.support import contract

    with contract.recording() as sent:
        yield
    assert contract.violations(sent) == []
