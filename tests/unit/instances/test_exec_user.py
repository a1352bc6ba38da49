"""
Users and groups in the files of an instance, which the instance can write as it likes.
"""

import pytest
import requests
from lxdapi.errors import APIException, InvalidError
from lxdapi.instances import exec_user

from tests.support.fake_transport import Paper, raw, server

C1 = "instances/c1"
PASSWD = "root:x:0:0::/root:/bin/sh\nweb:x::0::/:/bin/sh\nodd:x:\u00b2:0::/:/bin/sh\nbob:x:7:8::/b:/bin/sh\n"


def test_entry_with_invalid_numbers_is_ignored():
    for user in ("web", "odd"):
        with pytest.raises(InvalidError, match=f"user '{user}' not found"):
            exec_user.resolve_user(Paper(raw(200, PASSWD.encode())).api, C1, user)
    assert exec_user.resolve_user(Paper(raw(200, PASSWD.encode())).api, C1, "bob")[0] == {"user": 7, "group": 8}


def test_read_of_user_list_is_limited():
    paper = Paper(raw(206, b"x" * 8388609))
    with pytest.raises(InvalidError, match="/etc/passwd of the instance has more than 8388608 bytes"):
        exec_user.resolve_user(paper.api, C1, "bob")
    assert paper.seen[0].headers["Range"] == "bytes=-8388609"


BROKEN = requests.exceptions.ConnectionError("Connection aborted.")


@pytest.mark.parametrize("first", [BROKEN, raw(500)])
def test_broken_file_check_is_retried_without_reading_the_file(first):
    paper = Paper(first, raw(200), server("lxd"), retry_timeout=5)
    assert exec_user.file_type(paper.api, "instances/c1", "/mnt/pipe") == "file"
    assert {seen.method for seen in paper.seen if "/files" in seen.path} == {"HEAD"}


def test_unanswered_file_check_is_a_failure():
    paper = Paper(lambda seen: raw(500), retry_timeout=0.2)
    with pytest.raises(APIException):
        exec_user.file_type(paper.api, "instances/c1", "/mnt/pipe")
    assert {seen.method for seen in paper.seen} == {"HEAD"}
