"""
Valid names of aliases; no other alias or image is ever lost.
"""

import pytest
from lxdapi.errors import InvalidError
from lxdapi.images import image, publish

from tests.support.fake_transport import Paper


@pytest.mark.parametrize("aliases", ["web", 5, [5], [""], ["a", "b\n"], {"a": 1}, None])
def test_invalid_aliases_are_refused_before_any_request(aliases):
    paper = Paper()
    with pytest.raises(InvalidError, match="alias"):
        publish.publish(paper.api, "web1", {}, aliases)
    with pytest.raises(InvalidError, match="alias"):
        image.plan_present(paper.api, "0" * 64, {}, None, aliases)
    assert paper.seen == []
