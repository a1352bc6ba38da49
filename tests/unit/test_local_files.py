"""
Files of the minion, and files that Salt fetches.
"""

import pytest
from lxdapi import local_files
from lxdapi.errors import InvalidError, LxdapiError
from salt.exceptions import MinionError


def test_local_path_is_used_directly_and_urls_are_fetched():
    fetched = []

    def cache_file(source, saltenv, **options):
        fetched.append((source, saltenv, options))
        return "/cache/x"

    assert local_files.local_file(cache_file, "/srv/x.tar") == "/srv/x.tar" and fetched == []
    assert local_files.local_file(cache_file, "salt://x.tar", "dev") == "/cache/x"
    assert local_files.local_file(cache_file, "https://h/x.tar") == "/cache/x"
    assert fetched == [("salt://x.tar", "dev", {}), ("https://h/x.tar", "base", {"use_etag": True})]


def failing(*args, **kwargs):
    raise MinionError("HTTP 404")


@pytest.mark.parametrize("cache_file", [lambda *a, **k: "", lambda *a, **k: False, failing])
def test_failed_fetch_names_the_source(cache_file):
    with pytest.raises(LxdapiError, match="Salt cannot fetch salt://x.tar"):
        local_files.local_file(cache_file, "salt://x.tar")


@pytest.mark.parametrize("source", [5, None, ["salt://x"], {"salt://x": 1}, True])
def test_invalid_source_is_refused(source):
    with pytest.raises(InvalidError, match="expected a path, salt://"):
        local_files.local_file(None, source)
