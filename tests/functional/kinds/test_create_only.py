"""
What only a create looks at, and what the daemon itself keeps from being changed. Fields that are fixed once an object
exists are in the rows of the matrix.
"""


def test_where_an_instance_came_from_is_not_looked_at_afterwards(apply, imported):
    apply("lxdapi_instance.present", "c1", source="busybox")
    apply.unchanged("lxdapi_instance.present", "c1", source="other", type="container")


def test_what_a_volume_was_copied_from_is_not_looked_at_afterwards(apply, daemon, raw):
    apply("lxdapi_storage_volume.present", "default/data", config={"user.a": "1"})
    copy = {"type": "copy", "pool": "default", "name": "data"}
    apply.changed("lxdapi_storage_volume.present", "default/copy", source=copy, config={"user.b": "2"})
    apply.unchanged("lxdapi_storage_volume.present", "default/copy", source={**copy, "name": "gone"})
    assert raw("storage-pools/default/volumes/custom/copy")["config"]["user.b"] == "2"


def test_a_new_pool_without_a_driver_is_refused_before_anything_is_written(apply, daemon, raw):
    predicted = apply.predicted("lxdapi_storage_pool.present", "fast")
    assert (predicted["result"], predicted["changes"]) == (False, {})
    assert predicted["comment"] == "storage pool fast: driver: needed for a new storage pool"
    assert apply.failed("lxdapi_storage_pool.present", "fast") == predicted["comment"]
    assert raw("storage-pools/fast") is None
    apply.unchanged("lxdapi_storage_pool.present", "default")


def test_features_of_a_project_that_is_not_empty_are_fixed_by_the_daemon(apply, daemon, raw):
    apply("lxdapi_project.present", "shop")
    apply("lxdapi_profile.present", "web", project="shop")
    comment = apply.failed("lxdapi_project.present", "shop", config={"features.profiles": False})
    assert "project shop could not be updated: " in comment
    assert "(PUT /1.0/projects/shop)" in comment
    assert raw("projects/shop")["config"]["features.profiles"] == "true"
