"""
What are names of aliases, and that nothing else costs an image or somebody's alias.
"""

import lxdapi_image as images
import lxdapi_publish as publications
import pytest
from fake import Paper
from lxdapi_errors import InvalidError


@pytest.mark.parametrize("aliases", ["web", 5, [5], [""], ["a", "b\n"], {"a": 1}, None])
def test_what_is_no_list_of_aliases_is_refused_before_an_image_is_made(aliases):
    paper = Paper()
    with pytest.raises(InvalidError, match="alias"):
        publications.publish(paper.api, "web1", {}, aliases)
    with pytest.raises(InvalidError, match="alias"):
        images.present(paper.api, "0" * 64, {}, None, aliases)
    assert paper.seen == []
