"""
What is looked for inside an instance is not opened, whatever becomes of the question.
"""

import pytest
import requests
from lxdapi.errors import APIException
from lxdapi.instances import exec_user

from tests.support.fake_transport import Paper, raw, server

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
