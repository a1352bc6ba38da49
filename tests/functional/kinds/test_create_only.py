"""
Fields that only a creation uses, and fields that the daemon does not let change. Immutable fields are in the rows of
the matrix.
"""


def test_source_of_existing_instance_is_ignored(apply, imported):
    apply("lxdapi_instance.present", "c1", source="busybox")
    apply.unchanged("lxdapi_instance.present", "c1", source="other", type="container")


def test_source_of_existing_volume_is_ignored(apply, daemon, raw):
    apply("lxdapi_storage_volume.present", "default/data", config={"user.a": "1"})
    copy = {"type": "copy", "pool": "default", "name": "data"}
    apply.changed("lxdapi_storage_volume.present", "default/copy", source=copy, config={"user.b": "2"})
    apply.unchanged("lxdapi_storage_volume.present", "default/copy", source={**copy, "name": "gone"})
    assert raw("storage-pools/default/volumes/custom/copy")["config"]["user.b"] == "2"


def test_new_pool_without_driver_is_refused_before_any_write(apply, daemon, raw):
    predicted = apply.predicted("lxdapi_storage_pool.present", "fast")
    assert (predicted["result"], predicted["changes"]) == (False, {})
    assert predicted["comment"] == "storage pool fast: a new storage pool requires driver: declare it"
    assert apply.failed("lxdapi_storage_pool.present", "fast") == predicted["comment"]
    assert raw("storage-pools/fast") is None
    apply.unchanged("lxdapi_storage_pool.present", "default")


def test_features_of_non_empty_project_are_immutable(apply, daemon, raw):
    apply("lxdapi_project.present", "shop")
    apply("lxdapi_profile.present", "web", project="shop")
    comment = apply.failed("lxdapi_project.present", "shop", config={"features.profiles": False})
    assert "project shop could not be updated: " in comment
    assert "(PUT /1.0/projects/shop)" in comment
    assert raw("projects/shop")["config"]["features.profiles"] == "true"
