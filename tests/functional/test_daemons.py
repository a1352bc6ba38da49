"""
What differs between the daemons, asked of each by raw requests: the facts that the code stands on.

docs/daemons.rst lists them under the same names. A row that fails on a newer daemon is news, not a defect of
the code: what it says has to be looked at again, in the code and in the document.
"""

import pytest

ROOT = {"root": {"path": "/", "pool": "default", "type": "disk"}}
IMAGE = {"type": "image", "alias": "busybox"}


class Asked:
    """A daemon with an image, and what is asked of it."""

    def __init__(self, daemon, image):
        self.daemon, self.image = daemon, image

    def status(self, method, path, body=None, headers=None):
        """Return the HTTP status of a request."""
        return self.daemon.request(method, f"/1.0/{path}", body, headers)[0]

    def read(self, path):
        """Return an object."""
        return self.daemon.ask("GET", f"/1.0/{path}")

    def do(self, method, path, body=None):
        """Return the metadata of a request that must succeed, its operation waited for."""
        return self.daemon.ask(method, f"/1.0/{path}", body)

    def instance(self, name="c1", **fields):
        """Make an instance."""
        self.do("POST", "instances", {"name": name, "source": IMAGE, **fields})

    def waited(self, method, path, body, timeout):
        """Return the reply of /wait for the operation that a request starts."""
        operation = self.daemon.request(method, f"/1.0/{path}", body)[1]["operation"]
        return self.daemon.request("GET", f"{operation}/wait?timeout={timeout}")[1]


def wait_failed(asked):
    body = {"name": "c1", "source": IMAGE, "config": {"bogus": "1"}}
    return asked.waited("POST", "instances", body, 10)["type"]


def wait_timeout(asked):
    asked.instance()
    asked.do("PUT", "instances/c1/state", {"action": "start"})
    body = {"command": ["sleep", "5"], "record-output": False}
    return asked.waited("POST", "instances/c1/exec", body, 0)["type"]


def create_over_existing(asked):
    asked.instance()
    return asked.status("POST", "instances", {"name": "c1", "source": IMAGE})


def create_with_start(asked):
    asked.instance(start=True)
    return asked.read("instances/c1")["status"]


def patch_without_description(asked):
    asked.instance(description="mine")
    asked.do("PATCH", "instances/c1", {"config": {"user.a": "1"}})
    return asked.read("instances/c1")["description"]


def patch_image_expiry(asked):
    asked.do("PATCH", f"images/{asked.image}", {"expires_at": "2031-01-31T12:00:00Z"})
    return asked.read(f"images/{asked.image}")["expires_at"][:4]


def put_image_expiry(asked):
    years = []
    for moment in ("2031-01-31T12:00:00Z", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"):
        found = asked.read(f"images/{asked.image}")
        fields = {key: found[key] for key in ("auto_update", "profiles", "properties", "public")}
        asked.do("PUT", f"images/{asked.image}", {**fields, "expires_at": moment})
        years.append(asked.read(f"images/{asked.image}")["expires_at"][:4])
    return years


def copy_fields(asked):
    asked.do("POST", "profiles", {"name": "rooted", "devices": ROOT})
    asked.instance(description="mine", profiles=["rooted"])
    copy = {"name": "c2", "source": {"type": "copy", "source": "c1"}}
    if asked.waited("POST", "instances", copy, 10).get("metadata", {}).get("status_code") != 200:
        return "fails"
    found = asked.read("instances/c2")
    return found["profiles"], found["description"]


def volatile_keys(asked):
    asked.instance()
    return sorted(key for key in asked.read("instances/c1")["config"] if key.startswith("volatile.uuid"))


def number_in_config(asked):
    return asked.status("POST", "profiles", {"name": "p", "config": {"user.a": 2}})


def name_with_white_space(asked):
    return asked.status("POST", "profiles", {"name": "a b"})


def project_exists(asked):
    return asked.status("POST", "projects", {"name": "default"})


def snapshots_of_nothing(asked):
    return asked.status("GET", "instances/nope/snapshots")


def containers_path(asked):
    return asked.status("GET", "containers")


def address_sets_path(asked):
    return asked.status("GET", "network-address-sets")


def two_slashes(asked):
    return asked.status("GET", "instances//c1")


# what is asked: what LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2 answer
FACTS = {
    wait_failed: ("sync", "error", "sync"),
    wait_timeout: ("sync", "error", "sync"),
    create_over_existing: (202, 202, 500),
    create_with_start: ("Stopped", "Running", "Running"),
    patch_without_description: ("", "", "mine"),
    patch_image_expiry: ("1970", "0001", "0001"),
    put_image_expiry: (["2031", "2031", "1970"],) * 3,
    volatile_keys: (["volatile.uuid"],) + (["volatile.uuid", "volatile.uuid.generation"],) * 2,
    number_in_config: (400, 400, 201),
    name_with_white_space: (201, 201, 400),
    project_exists: (409, 500, 409),
    snapshots_of_nothing: (404, 200, 200),
    containers_path: (200, 404, 404),
    address_sets_path: (404, 404, 200),
    two_slashes: (404, 404, 307),
    copy_fields: ("fails", (["rooted"], ""), (["rooted"], "")),
}


@pytest.mark.parametrize("ask", FACTS, ids=lambda ask: ask.__name__)
def test_a_fact_is_still_one(daemon, imported, ask):
    expected = dict(zip(("lxd", "incus", "incus7"), FACTS[ask]))
    assert ask(Asked(daemon, imported)) == expected[daemon.name]
