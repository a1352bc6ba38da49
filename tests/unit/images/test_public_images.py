"""
Public images in projects: LXD since 6.8 has them only in the project default.
"""

import pytest
from lxdapi.errors import InvalidError
from lxdapi.images import image, publish, transfer
from lxdapi.plan import steps

from tests.support.fake_transport import Paper
from tests.support.model_daemon import IMAGE, INSTANCE, Model

DIGEST = "1" * 64
NEW = ("bulk_operations",)
OWN = {"features.images": "true"}


def lxd(project="p", extensions=NEW, config=None, images=None):
    """Return the fake transport of an LXD in a project."""
    objects = {"projects/p": {"config": OWN if config is None else config, "description": ""}, **(images or {})}
    objects["instances/c1"] = {**INSTANCE, "created_at": "2026-01-01T00:00:00Z"}
    facts = {"api_extensions": list(extensions), "environment": {"server": "lxd"}}
    return Paper(Model(objects, facts=facts), project=project)


def plan(paper, public=True):
    """Return the steps to a public image."""
    return image.plan_present(paper.api, DIGEST, {"public": public}, lambda: None)


@pytest.mark.parametrize("images", [{}, {f"images/{DIGEST}": IMAGE}])
def test_image_outside_default_project_is_not_made_public(images):
    paper = lxd(images=images)
    with pytest.raises(InvalidError, match="only in the project default, and this one is in p"):
        plan(paper)
    assert paper.writes == []


@pytest.mark.parametrize(
    "options",
    [
        {"project": None},
        {"project": "default"},
        {"extensions": ()},
        {"config": {}},  # it shares the images of the default project
        {"images": {f"images/{DIGEST}": {**IMAGE, "public": True}}},
    ],
)
def test_public_image_is_accepted_where_lxd_has_them(options):
    plan(lxd(**options))


def test_private_image_is_planned_without_a_read_of_the_project():
    paper = lxd()
    plan(paper, public=False)
    assert "GET /1.0/projects/p" not in paper.lines


@pytest.mark.parametrize(
    "act", [publish.publish, lambda api, name, fields: publish.plan_present(api, "a", name, fields)]
)
def test_publication_as_public_is_refused_before_it_starts(act):
    paper = lxd(images={"images": {}})
    with pytest.raises(InvalidError, match="only in the project default"):
        act(paper.api, "c1", {"public": True})
    assert paper.writes == []


def test_copy_of_a_public_image_is_private_there(tmp_path):
    origin = Paper(Model({f"images/{DIGEST}": {**IMAGE, "fingerprint": DIGEST, "public": True}})).api
    paper = lxd(images={f"images/{DIGEST}": {**IMAGE, "properties": {}}})
    _, plan = transfer.plan_copy(paper.api, origin, DIGEST, str(tmp_path))
    assert steps.apply(plan) == {"properties": {"os": {"old": None, "new": "busybox"}}}
