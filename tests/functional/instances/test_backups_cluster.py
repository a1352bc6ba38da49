"""
Backups and rotations in a cluster: of resources on another member, and of one of two volumes with the same name.
"""

import pytest
import yaml

from tests.support.loader import Loaded

VOLUMES = "/1.0/storage-pools/default/volumes/custom"


@pytest.fixture
def call(cluster, tmp_path):
    """Call a module function on the first member."""
    salt = Loaded(tmp_path / "calls", {"local": {"endpoint": str(cluster.first.socket)}})
    return lambda function, *words, **more: salt.modules[function](*words, **more)


def test_instance_on_target_member_is_exported_and_imported(clustered, cluster, image, call, tmp_path):
    path = str(tmp_path / "c1.tar")
    cluster.first.import_image(image, alias="busybox")
    clustered("lxdapi_instance.present", "c1", source="busybox", target="n2")
    clustered.changed("lxdapi_instance.exported", "c1", path=path)
    clustered("lxdapi_instance.absent", "c1")
    assert call("lxdapi_backup.import", "c1", path, target="n2") == {"created": "c1"}
    assert cluster.first.ask("GET", "/1.0/instances/c1")["location"] == "n2"
    clustered.unchanged("lxdapi_instance.present", "c1", source="busybox")


def test_target_selects_volume_to_export_and_rotate(clustered, cluster, call, tmp_path):
    old, snapshots = "lxdapi-20260101T000000Z", f"{VOLUMES}/data/snapshots"
    for member in ("n1", "n2"):
        cluster.first.ask("POST", f"{VOLUMES}?target={member}", {"name": "data", "description": member})
        cluster.first.ask("POST", f"{snapshots}?target={member}", {"name": old})
    path = str(tmp_path / "data.tar")
    clustered.changed("lxdapi_storage_volume.exported", "default/data", path=path, target="n2")
    assert call("lxdapi_backup.import", "default/other", path, target="n2") == {"created": "default/other"}
    assert cluster.first.ask("GET", f"{VOLUMES}/other?target=n2")["description"] == "n2"
    changes = clustered.changed("lxdapi_snapshot.rotated", "default/data", daily=1, target="n2")["snapshots"]
    (made,) = set(changes) - {old}
    assert list(call("lxdapi_snapshot.list", "default/data", target="n2")) == [made]
    assert list(call("lxdapi_snapshot.list", "default/data", target="n1")) == [old]
    assert cluster.first.ask("GET", f"{snapshots}/{old}?target=n1")
    of_second = call("lxdapi.list", "volume_snapshot", "default/data", target="n2")
    everything = {f"default/data/{each}" for each in (old, made)} | {f"default/other/{old}"}
    assert (list(of_second), set(call("lxdapi.list", "volume_snapshot"))) == ([f"default/data/{made}"], everything)
    states = yaml.safe_load(call("lxdapi.export", "volume_snapshot"))
    targets = {name: {k: v for each in state.popitem()[1] for k, v in each.items()} for name, state in states.items()}
    assert {name: each["target"] for name, each in targets.items()} == {
        f"default/data/{old}": "n1",
        f"default/data/{made}": "n2",
        f"default/other/{old}": "n2",
    }
