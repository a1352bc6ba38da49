"""
Facts about instances, their snapshots, images, profiles, and about requests.
"""

from tests.support.fact_probe import IMAGE, POOL

ROOT = {"root": {"path": "/", "pool": "default", "type": "disk"}}
SNAPSHOTS, SNAPSHOT = "instances/c1/snapshots", "instances/c1/snapshots/s"
LATER = "2040-01-01T00:00:00Z"


def wait_failed(asked):
    body = {"name": "c1", "source": IMAGE, "config": {"bogus": "1"}}
    return asked.image and asked.waited("POST", "instances", body, 10)["type"]


def wait_timeout(asked):
    asked.instance()
    asked.do("PUT", "instances/c1/state", {"action": "start"})
    body = {"command": ["sleep", "5"], "record-output": False}
    return asked.waited("POST", "instances/c1/exec", body, 0)["type"]


def operations_with_children(asked):
    _, reply = asked.daemon.request("POST", f"/1.0/images/{asked.image}/secret")
    listed = asked.read("operations?recursion=2")["running"]
    asked.do("DELETE", reply["operation"].replace("/1.0/", "", 1))
    return [(each["class"], "children" in each) for each in listed]


def create_over_existing(asked):
    asked.instance()
    return asked.status("POST", "instances", {"name": "c1", "source": IMAGE})


def create_with_start(asked):
    asked.instance(start=True)
    return asked.read("instances/c1")["status"]


def create_with_start_that_fails(asked):
    nowhere = {"type": "nic", "nictype": "macvlan", "parent": "nowhere0", "name": "eth9"}
    body = {"name": "c1", "source": IMAGE, "devices": {"e": nowhere}, "start": True}
    assert asked.image and asked.waited("POST", "instances", body, 10)
    found = asked.read("instances/c1")
    return found["status"], found["config"].get("volatile.apply_template")


def patch_instance(asked):
    asked.empty(description="mine", config={"user.a": "1"})
    found = asked.patched("instances/c1")
    return found["description"], found["config"]["user.a"]


def patch_profile(asked):
    asked.do("POST", "profiles", {"name": "p", "description": "mine", "config": {"user.a": "1"}, "devices": ROOT})
    found = asked.patched("profiles/p")
    return found["description"], found["config"], found["devices"] == ROOT


def edited_profile_drops_keys(asked):
    body = {"source": IMAGE, "profiles": ["default", "p"]}
    asked.do("POST", "profiles", {"name": "p"})
    for number in range(20):
        for own in "abcdef":
            assert asked.image and asked.status("POST", "instances", {**body, "name": f"{own}{number}"}) == 202
        while asked.read("operations").get("running"):
            asked.status("PATCH", "profiles/p", {"config": {"user.n": str(number)}})
        if not all("volatile.apply_template" in found["config"] for found in asked.read("instances?recursion=1")):
            return True
    return False


def instances_in_order(asked):
    for name in ("b", "a"):
        asked.empty(name)
    return [path.rpartition("/")[2] for path in asked.read("instances")]


def instances_in_order_of_names(asked):
    for name in ("b", "a"):
        asked.empty(name)
    return [found["name"] for found in asked.read("instances?recursion=1")]


def patch_image_expiry(asked):
    asked.do("PATCH", f"images/{asked.image}", {"expires_at": "2031-01-31T12:00:00Z"})
    return asked.read(f"images/{asked.image}")["expires_at"][:4] == "2031"


def image_without_expiry(asked):
    return asked.read(f"images/{asked.image}")["expires_at"][:4]


def put_image_expiry(asked):
    years = []
    for moment in ("2031-01-31T12:00:00Z", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"):
        found = asked.read(f"images/{asked.image}")
        fields = {key: found[key] for key in ("auto_update", "profiles", "properties", "public")}
        asked.do("PUT", f"images/{asked.image}", {**fields, "expires_at": moment})
        years.append(asked.read(f"images/{asked.image}")["expires_at"][:4])
    return years


def upload_headers(asked):
    other = {"lxd": "Incus", "incus": "LXD"}[asked.daemon.server]
    with open(asked.file, "rb") as image:
        reply = asked.daemon.request("POST", "/1.0/images", image, {f"X-{other}-public": "1"})[1]
    fingerprint = asked.daemon.wait(reply)["metadata"]["fingerprint"]
    return asked.read(f"images/{fingerprint}")["public"]


def copy_profiles(asked):
    asked.do("POST", "profiles", {"name": "rooted", "devices": ROOT})
    asked.empty(profiles=["rooted"])
    copy = {"name": "c2", "source": {"type": "copy", "source": "c1"}}
    if asked.waited("POST", "instances", copy, 10).get("metadata", {}).get("status_code") != 200:
        return "fails"
    return asked.read("instances/c2")["profiles"]


def copy_description(asked):
    asked.empty(description="mine")
    copy = {"name": "c2", "profiles": ["default"], "source": {"type": "copy", "source": "c1"}}
    asked.do("POST", "instances", copy)
    return asked.read("instances/c2")["description"]


def volatile_keys(asked):
    asked.empty()
    return sorted(key for key in asked.read("instances/c1")["config"] if key.startswith("volatile.uuid"))


def number_in_config(asked):
    return asked.status("POST", "profiles", {"name": "p", "config": {"user.a": 2}})


def name_with_white_space(asked):
    return asked.status("POST", "profiles", {"name": "a b"})


def profile_exists(asked):
    return asked.status("POST", "profiles", {"name": "default"})


def profile_of_an_instance_that_refuses(asked):
    nowhere = {"type": "nic", "nictype": "macvlan", "parent": "nowhere0", "name": "eth9"}
    asked.do("POST", "profiles", {"name": "p"})
    asked.instance(profiles=["default", "p"])
    asked.do("PUT", "instances/c1/state", {"action": "start"})
    body = {"devices": {"e": nowhere}}
    answers = [asked.status("PUT", "profiles/p", body) for _ in range(2)]
    return (
        answers,
        asked.read("profiles/p")["devices"] == body["devices"],
        "e" in asked.read("instances/c1")["expanded_devices"],
    )


def refused_edits_of_what_instances_use(asked):
    asked.bridge()
    nic = {"type": "nic", "network": "lxdapi6", "name": "eth0"}
    asked.instance(devices={"eth0": nic}, config={"limits.memory": "128MiB"})
    project = {"features.images": "false", "features.profiles": "false"}
    asked.do("POST", "projects", {"name": "p", "config": project})
    body = {"name": "c2", "source": IMAGE, "config": {"limits.memory": "128MiB"}}
    asked.do("POST", "instances?project=p", body)
    edits = {
        "networks/lxdapi6": {"tunnel.t.protocol": "vxlan"},
        POOL: {"source": "/tmp/x"},
        "projects/p": {"limits.memory": "1MiB"},
    }
    found = []
    for path, config in edits.items():
        before = asked.read(path)["config"]
        status = asked.status("PATCH", path, {"config": {**before, **config}})
        found.append((status, asked.read(path)["config"] == before))
    return found


def snapshots_of_nothing(asked):
    return asked.status("GET", "instances/nope/snapshots")


def containers_path(asked):
    return asked.status("GET", "containers")


def two_slashes(asked):
    return asked.status("GET", "instances//c1")


def snapped(asked, **fields):
    asked.empty(description="mine")
    asked.do("POST", SNAPSHOTS, {"name": "s", **fields})


def snapshot_exists(asked):
    snapped(asked)
    return asked.status("POST", SNAPSHOTS, {"name": "s"})


def snapshot_decoded_twice(asked):
    asked.empty()
    asked.do("POST", SNAPSHOTS, {"name": "a%41b"})
    return [asked.status("GET", f"{SNAPSHOTS}/{sent}") for sent in ("a%2541b", "a%252541b")]


def names_decoded_once(asked):
    made = {"images/aliases": {"target": asked.image}, "projects": {}, "profiles": {}, "network-zones": {}}
    found = []
    for collection, fields in made.items():
        asked.do("POST", collection, {"name": "a%41b", **fields})
        found += [asked.status("GET", f"{collection}/{sent}") for sent in ("a%2541b", "a%252541b")]
    return found


def snapshot_description(asked):
    snapped(asked)
    return asked.read(SNAPSHOT).get("description")


def snapshot_expiry_left_out(asked):
    snapped(asked, expires_at=LATER)
    found = []
    for body in ({}, {"expires_at": None}):
        asked.do("PUT", SNAPSHOT, body)
        found.append(asked.read(SNAPSHOT)["expires_at"])
    return found


def snapshot_expiry_cleared(asked):
    snapped(asked, expires_at=LATER)
    found = []
    for moment in ("1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"):
        asked.do("PUT", SNAPSHOT, {"expires_at": moment})
        found.append(asked.read(SNAPSHOT)["expires_at"][:4])
    return found


def restore_description(asked):
    snapped(asked)
    asked.do("PUT", "instances/c1", {"restore": "s"})
    return asked.read("instances/c1")["description"]


def move_to_both(asked):
    asked.do("POST", "storage-pools", {"name": "p2", "driver": "dir"})
    asked.do("POST", "projects", {"name": "p", "config": {"features.profiles": "false"}})
    asked.empty()
    asked.do("POST", "instances/c1", {"name": "c1", "migration": True, "pool": "p2", "project": "p"})
    return asked.status("GET", "instances/c1?project=p")


# question: the answers of LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2
DIFFERS = {
    wait_failed: ("sync", "error", "sync"),
    wait_timeout: ("sync", "error", "sync"),
    create_over_existing: (202, 202, 500),
    create_with_start: ("Stopped", "Running", "Running"),
    patch_instance: (("", "1"), ("", "1"), ("mine", "1")),
    instances_in_order: (["b", "a"], ["a", "b"], ["a", "b"]),
    image_without_expiry: ("1970", "0001", "0001"),
    copy_profiles: ("fails", ["rooted"], ["rooted"]),
    move_to_both: (404, 200, 200),
    volatile_keys: (["volatile.uuid"],) + (["volatile.uuid", "volatile.uuid.generation"],) * 2,
    number_in_config: (400, 400, 201),
    name_with_white_space: (201, 201, 400),
    snapshots_of_nothing: (404, 200, 200),
    snapshot_description: (None, None, "mine"),
    restore_description: ("", "", "mine"),
    containers_path: (200, 404, 404),
    two_slashes: (404, 404, 307),
}
# question: the answer of all daemons
ALIKE = {
    create_with_start_that_fails: ("Stopped", "create"),
    edited_profile_drops_keys: True,
    operations_with_children: [("token", False)],
    patch_profile: ("mine", {"user.a": "1", "user.b": "2"}, True),
    profile_exists: 500,
    profile_of_an_instance_that_refuses: ([500, 200], True, True),
    refused_edits_of_what_instances_use: [(500, True)] * 3,
    instances_in_order_of_names: ["a", "b"],
    patch_image_expiry: False,
    put_image_expiry: ["2031", "2031", "1970"],
    upload_headers: False,
    copy_description: "",
    snapshot_exists: 202,
    snapshot_decoded_twice: [404, 200],
    names_decoded_once: [200, 404] * 4,
    snapshot_expiry_left_out: [LATER, LATER],
    snapshot_expiry_cleared: ["1970", "0001"],
}
