"""
The shortcuts of the earlier lxdapi: each returns whether something changed, with a model of the daemon.
"""

import pytest
from lxdapi import shortcuts
from lxdapi.errors import InvalidError

from tests.support.fake_transport import Paper
from tests.support.model_daemon import Model

pytestmark = pytest.mark.usefixtures("contract_kept")

DIGEST = "1" * 64


def test_shortcuts_return_whether_something_changed():
    api = Paper(Model({"images/aliases/x": {"target": DIGEST}}), wait_timeout=5).api
    assert shortcuts.container_get(api, "c1") is False
    config = {"name": "c1", "source": {"type": "none"}, "config": {"limits.cpu": 2}}
    assert shortcuts.container_apply_config(api, False, config) is True
    found = shortcuts.container_get(api, "c1")
    assert found.metadata["config"]["limits.cpu"] == "2"
    assert shortcuts.container_apply_config(api, found, config) is False
    assert shortcuts.container_apply_config(api, found, {"config": {"limits.cpu": "3"}}) is True
    for status in ("Running", "Frozen", "Running", "Stopped", "Running"):
        assert shortcuts.container_apply_status(api, found, status) is True
        assert shortcuts.container_apply_status(api, found, status) is False
    assert shortcuts.container_absent(api, found) is True
    assert shortcuts.container_absent(api, found) is False
    assert shortcuts.container_absent(api, False) is False
    with pytest.raises(InvalidError):
        shortcuts.container_apply_status(api, False, "Running")


def test_image_shortcuts_return_whether_something_changed():
    api = Paper(Model({f"images/{DIGEST}": {"fingerprint": DIGEST}})).api
    for changed in (True, False):
        assert shortcuts.image_alias_present(api, "a", DIGEST, "d") is changed
    assert shortcuts.image_alias_present(api, "a", "2" * 64) is True
    assert shortcuts.image_get(api, DIGEST).metadata == {"fingerprint": DIGEST}
    assert shortcuts.image_get(api, "2" * 64) is False
    for changed in (True, False):
        assert shortcuts.image_absent(api, DIGEST) is changed


def test_new_instance_without_source_is_refused():
    paper = Paper(Model())
    with pytest.raises(InvalidError, match="it does not exist, and no source is declared"):
        shortcuts.container_apply_config(paper.api, False, {"name": "c1"})
    assert paper.writes == []


@pytest.mark.parametrize("name", ["a/b", "..", "", None, "a\n"])
def test_shortcuts_refuse_invalid_names(name):
    paper = Paper(Model())
    with pytest.raises(InvalidError):
        shortcuts.container_apply_config(paper.api, False, {"name": name, "source": {"type": "none"}})
    assert paper.writes == []
