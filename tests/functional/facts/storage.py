"""
Facts about storage pools, volumes, their snapshots and buckets.
"""

from tests.support.fact_probe import POOL, VOLUMES

VOLUME = f"{VOLUMES}/v"
SNAPSHOTS, SNAPSHOT = f"{VOLUME}/snapshots", f"{VOLUME}/snapshots/s"
BUCKETS, BUCKET = f"{POOL}/buckets", f"{POOL}/buckets/backups"
KEY = {"role": "read-only", "access-key": "AKIALXDAPITEST00", "secret-key": "canary-secret-0001"}
OWN = {"description": "mine", "config": {"user.a": "1"}}
LATER = "2040-01-01T00:00:00Z"


def pool(asked, **fields):
    asked.do("POST", "storage-pools", {"name": "p", "driver": "dir", **fields})


def snapped(asked, **fields):
    asked.volume(description="of the volume")
    asked.do("POST", SNAPSHOTS, {"name": "s", **fields})
    return asked.read(SNAPSHOT)


def bucket(asked):
    return asked.status("POST", BUCKETS, {"name": "backups", **OWN})


def patch_pool(asked):
    pool(asked, description="mine")
    return asked.patched("storage-pools/p")["description"]


def put_pool_without_source(asked):
    pool(asked)
    return asked.status("PUT", "storage-pools/p", {"config": {"user.a": "1"}})


def put_pool_with_a_driver(asked):
    pool(asked)
    config = asked.read("storage-pools/p")["config"]
    return asked.status("PUT", "storage-pools/p", {"config": config, "driver": "btrfs"})


def pool_etag(asked):
    return asked.etag(POOL) is not None


def pool_rename(asked):
    pool(asked)
    return asked.status("POST", "storage-pools/p", {"name": "q"})


def patch_volume(asked):
    asked.volume(**OWN)
    found = asked.patched(VOLUME)
    return found["description"], found["config"]


def volume_etag(asked):
    asked.volume()
    before = asked.etag(VOLUME)
    asked.do("PUT", VOLUME, {"config": {}, "description": "two"})
    return asked.etag(VOLUME) == before


def volume_content_type(asked):
    asked.volume()
    status = asked.status("PUT", VOLUME, {"config": {}, "content_type": "block"})
    return status, asked.read(VOLUME)["content_type"]


def volume_created_at(asked):
    asked.volume()
    return asked.read(VOLUME)["created_at"][:4] == "0001"


def volume_list(asked):
    snapped(asked)
    return sorted(found["name"] for found in asked.read(f"{VOLUMES}?recursion=1"))


def volume_snapshot_name(asked):
    return snapped(asked)["name"], asked.read(f"{SNAPSHOTS}?recursion=1")[0]["name"]


def volume_snapshot_exists(asked):
    snapped(asked)
    return asked.status("POST", SNAPSHOTS, {"name": "s"})


def volume_snapshot_description(asked):
    return snapped(asked, description="of the snapshot")["description"]


def volume_snapshot_expiry_left_out(asked):
    snapped(asked, expires_at=LATER)
    asked.do("PUT", SNAPSHOT, {"description": "one"})
    return asked.read(SNAPSHOT)["expires_at"][:4]


def volume_snapshot_expiry_cleared(asked):
    snapped(asked, expires_at=LATER)
    found = []
    for moment in ("1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"):
        asked.do("PUT", SNAPSHOT, {"description": "", "expires_at": moment})
        found.append(asked.read(SNAPSHOT)["expires_at"][:4])
    return found


def restore_volume(asked):
    snapped(asked)
    asked.do("PUT", VOLUME, {"config": {"user.a": "1"}, "description": "later"})
    asked.do("PUT", VOLUME, {"restore": "s"})
    found = asked.read(VOLUME)
    return found["description"], found["config"]


def bucket_on_a_directory(asked):
    return bucket(asked)


def patch_bucket(asked):
    return bucket(asked) == 201 and asked.patched(BUCKET)["description"]


def bucket_if_match(asked):
    return bucket(asked) == 201 and asked.stale(BUCKET, {"config": {}})


def bucket_keys(asked):
    return bucket(asked) == 201 and [path.rpartition("/")[2] for path in asked.read(f"{BUCKET}/keys")]


def key_without_its_secret(asked):
    if bucket(asked) != 201:
        return False
    asked.do("POST", f"{BUCKET}/keys", {"name": "k", **KEY})
    asked.do("PUT", f"{BUCKET}/keys/k", {"role": "admin"})
    found = asked.read(f"{BUCKET}/keys/k")
    return "generated" if found["secret-key"] not in ("", KEY["secret-key"]) else found["secret-key"]


def key_requests(asked):
    if bucket(asked) != 201:
        return False
    asked.do("POST", f"{BUCKET}/keys", {"name": "k", **KEY})
    path = f"{BUCKET}/keys/k"
    statuses = [asked.status("POST", f"{BUCKET}/keys", {"name": "l"}), asked.status("PATCH", path, KEY)]
    return statuses + [asked.stale(path, KEY)]


# question: the answers of LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2
DIFFERS = {
    pool_etag: (False, True, True),
    volume_created_at: (True, False, False),
    volume_list: (["v", "v/s"], ["v", "v/s"], ["v"]),
    bucket_on_a_directory: (404, 500, 201),
    patch_bucket: (False, False, ""),
    bucket_if_match: (False, False, 200),
    bucket_keys: (False, False, ["admin"]),
    key_without_its_secret: (False, False, "generated"),
    key_requests: (False, False, [500, 501, 200]),
}
# question: the answer of all daemons
ALIKE = {
    patch_pool: "",
    put_pool_without_source: 500,
    put_pool_with_a_driver: 200,
    pool_rename: 501,
    patch_volume: ("", {"user.a": "1", "user.b": "2"}),
    volume_etag: True,
    volume_content_type: (200, "filesystem"),
    volume_snapshot_name: ("s", "v/s"),
    volume_snapshot_exists: 409,
    volume_snapshot_description: "of the volume",
    volume_snapshot_expiry_left_out: "0001",
    volume_snapshot_expiry_cleared: ["1970", "0001"],
    restore_volume: ("later", {"user.a": "1"}),
}
