"""
A daemon fetches an image of another one with a token, which ends, and only once, even if others fetch it too.
"""

import pytest
from lxdapi.api import API
from lxdapi.errors import LxdapiError
from lxdapi.http import operations
from lxdapi.images import transfer


@pytest.fixture
def digest(daemon, imported):
    """The fingerprint of an image with an alias."""
    return daemon.ask("GET", "/1.0/images")[0].rpartition("/")[2]


def tokens(api):
    """Return the tokens that have not ended."""
    return [each["description"] for each in operations.list_running(api) if each["class"] == "token"]


@pytest.mark.mainly("lxd")
def test_token_of_failed_image_fetch_is_cancelled(proxy, digest):
    api = API.factory(str(proxy.socket))
    proxy.arm("status", method="POST", path="/images$", status=500, error="no space left on device")
    with pytest.raises(LxdapiError, match="no space left"):
        transfer._pull(api, api, "https://127.0.0.1:1", digest, 30)
    assert tokens(api) == []


def test_image_fetched_by_others_meanwhile_is_accepted(daemon, https, digest):
    api = API.factory(str(daemon.socket))
    assert transfer._pull(api, api, https, digest, 30) == digest
    assert tokens(api) == []
