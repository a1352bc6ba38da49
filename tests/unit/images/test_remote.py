"""
URLs of image servers, and sources that are rejected before any request.
"""

import pytest
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.images import remote, simplestreams

from tests.support.fake_transport import Paper, finished, operation, server, started, sync


@pytest.mark.parametrize(
    "url",
    [
        *("https://[x", "https://h:99999", "https://h:abc/", "https://h:0", "https://h\x00/", "https://h/\x7f"),
        *(
            "https://\ud800/",
            "https://h/#x",
            "https://h/?x",
            "https://a@h",
            "http://h",
            "h",
            "",
            None,
            5,
            "https://h/\n",
        ),
        *("https://h\u2028/", "https://h\\x", "https://"),
    ],
)
def test_invalid_image_server_url_is_refused(url):
    for protocol in ("simplestreams", "incus"):
        with pytest.raises(InvalidError, match="expected the https:// URL of an image server for server, got"):
            remote.parse_source({"server": url, "alias": "x", "protocol": protocol})


@pytest.mark.parametrize("url", ["https://images.example.org/", "https://[::1]:8443/a/", "https://h:443"])
def test_an_url_loses_nothing_but_the_slash_at_its_end(url):
    assert simplestreams.parse_url(url) == url.rstrip("/")


SOURCE = {"server": "https://images.test", "fingerprint": "1" * 64}


def test_image_fetched_by_others_is_no_failure():
    failed = sync(operation(400, "Alias already exists: x"))
    there = sync({"fingerprint": "1" * 64})
    paper = Paper(started(), failed, server(), there)
    assert remote.fetch(paper.api, remote.parse_source(SOURCE), "1" * 64) == "1" * 64


def test_unexpected_image_is_reported():
    paper = Paper(started(), finished(metadata={"fingerprint": "2" * 64}))
    with pytest.raises(LxdapiError, match="caches the index of a simplestreams server"):
        remote.fetch(paper.api, remote.parse_source(SOURCE), "1" * 64)
