"""
Objects that the daemons never delete, and features of projects that are off by default.
"""

import pytest

PROJECT = "lxdapi_project.present"


@pytest.mark.parametrize("kind, words", [("profile", "each project has one"), ("project", "each server has one")])
def test_permanent_object_is_never_deleted(apply, daemon, kind, words):
    for each in (apply.predicted, apply):
        ret = each(f"lxdapi_{kind}.absent", "default")
        assert (ret["result"], ret["changes"]) == (False, {})
        assert f"the {kind} default cannot be deleted: {words}" in ret["comment"]
    # the rule is the daemon's own
    status, reply = daemon.request("DELETE", f"/1.0/{kind}s/default")
    assert status == 403 and "cannot be deleted" in reply["error"]
    status, reply = daemon.request("POST", f"/1.0/{kind}s/default", {"name": "other"})
    assert status == 403 and "cannot be renamed" in reply["error"]


@pytest.mark.mainly("incus7")
def test_permanent_object_is_never_renamed(apply, daemon):
    ret = apply.predicted("lxdapi_profile.present", "other", renamed_from="default")
    assert ret["result"] is False and "the profile default cannot be renamed" in ret["comment"]


@pytest.mark.parametrize("off", [False, None])
def test_feature_off_and_unset_are_equal(apply, raw, off):
    declared = {"features.profiles": True, "features.images": False}
    apply.changed(PROJECT, "feat61", config=declared)
    apply.changed(PROJECT, "feat61", config={**declared, "features.profiles": off})
    apply.unchanged(PROJECT, "feat61", config={**declared, "features.profiles": None})
    apply.unchanged(PROJECT, "feat61", config={**declared, "features.profiles": False})
    apply.changed(PROJECT, "feat61", config={**declared, "user.a": "1", "features.profiles": False})
    apply.changed(PROJECT, "feat61", config=declared)
