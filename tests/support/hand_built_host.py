"""
A host that was configured by hand: objects of every kind, created by raw requests past the code under test.
"""

from urllib.parse import quote

from tests.support import client_certificates as certificates

BRIDGE = {"ipv4.address": "10.77.9.1/24", "ipv4.nat": "false", "ipv6.address": "none"}
# Values that Jinja or YAML would misread.
TEXTS = {
    "cloud-init.user-data": "#cloud-config\nwrite_files:\n- path: /motd\n  content: |\n    {{ x }} {% raw %} {# x #}\n",
    "user.comment": "a: b # c",
    "user.date": "2030-01-31",
    "user.jinja": "{{ grains.id }} {% if x %} {# no #} {{",
    "user.lines": "  indented\nand\ttab \n\n",
    "user.long": "word " * 60,
    "user.no-value": "null",
    "user.octal": "0755",
    "user.quotes": "it's \"quoted\" \\n 'well' \r\n",
    "user.signs": "&a *b !c %d @e `f",
    "user.time": "12:30:45",
    "user.unicode": "\u00fc \u2028 \U0001f600",
    "user.yes": "yes",
}
RULE = {
    "action": "allow",
    "state": "enabled",
    "protocol": "tcp",
    "destination_port": "80,443",
    "description": "{{ web }}",
}
PORT = {"protocol": "tcp", "listen_port": "80,443", "target_address": "10.77.9.10", "description": "a: b # c"}
FAR = "2040-01-31T12:00:00Z"
VOLUMES = "storage-pools/default/volumes/custom"
# (collection, body); Host omits those that a daemon does not support.
MADE = [
    ("projects", {"name": "team", "description": "yes", "config": {"limits.instances": "5"}}),
    ("storage-pools", {"name": "fast", "driver": "dir", "description": "0755"}),
    (VOLUMES, {"name": "data", "description": "{{ data }}", "config": {"user.octal": "0755"}}),
    (VOLUMES, {"name": "logs"}),
    (f"{VOLUMES}/data/snapshots", {"name": "before", "expires_at": FAR}),
    (f"{VOLUMES}/logs/snapshots", {"name": "before"}),
    ("network-acls", {"name": "web", "description": "{% x %}", "ingress": [RULE], "egress": [], "config": {}}),
    ("network-zones", {"name": "lxd.example.com", "config": {"dns.nameservers": "ns1.example.com"}}),
    (
        "network-zones/lxd.example.com/records",
        {"name": "www", "description": "{# x #}", "entries": [{"type": "A", "value": "192.0.2.1", "ttl": 60}]},
    ),
    (
        "networks",
        {"name": "lxdbr0", "description": "by hand", "config": {**BRIDGE, "dns.zone.forward": "lxd.example.com"}},
    ),
    ("networks", {"name": "lxdmv0", "type": "macvlan", "config": {"parent": "lxdbr0"}}),
    (
        "networks/lxdbr0/forwards",
        {"listen_address": "192.0.2.10", "config": {"target_address": "10.77.9.9"}, "ports": [PORT]},
    ),
    ("profiles", {"name": "web", "description": "{{ web }} yes", "config": TEXTS}),
    ("profiles", {"name": "include", "devices": {"tmp": {"type": "disk", "source": "/tmp", "path": "/t"}}}),
    ("profiles", {"name": "team"}),
]
INSTANCE = {
    "name": "web1",
    "description": "yes",
    "source": {"type": "image", "alias": "busybox"},
    "profiles": ["default", "web"],
    "config": {"limits.memory": "64MiB", "user.password": "Hidden-1", **TEXTS},
    "devices": {
        "data": {"type": "disk", "pool": "default", "source": "data", "path": "/data"},
        "eth0": {"type": "nic", "network": "lxdbr0", "user.token": "Hidden-2"},
    },
}
BUCKETS = "storage-pools/default/buckets"
# The kinds whose objects an SLS can create without a source.
FROM_NOTHING = (
    *("certificate", "network", "network_acl", "network_address_set", "network_forward", "network_integration"),
    *("network_zone", "network_zone_record", "profile", "project", "server", "storage_bucket", "storage_bucket_key"),
    *("storage_pool", "storage_volume", "volume_snapshot"),
)
# Fields that depend on the time of the creation or on the users of the object.
_CHANGING = ("created_at", "location", "used_by", "secret-key", "status")


class HandBuilt:
    """The host: the objects on the daemon, and their content."""

    def __init__(self, daemon, image):
        self.daemon = daemon
        self._extensions = daemon.ask("GET", "/1.0")["api_extensions"]
        self.secrets = ["Hidden-1", "Hidden-2", "Hidden-3", "Hidden-4"]
        self._objects = ["projects/default", "profiles/default", "storage-pools/default"]
        self.fingerprint = daemon.import_image(image)
        for collection, body in MADE:
            self.make(collection, body)
        self._make_what_differs()
        self._make_with_a_source()
        self._set_up_the_server()

    @property
    def has_buckets(self):
        """Return whether buckets need only a folder."""
        return self.daemon.name == "incus7"

    def has(self, extension):
        """Return whether the daemon has this API extension."""
        return extension in self._extensions

    def make(self, collection, body):
        """Create the object."""
        self.daemon.ask("POST", f"/1.0/{collection}", body)
        name = body.get("name") or body["listen_address"]
        self._objects.append(f"{collection}/{quote(name, safe='')}")

    def read(self):
        """Return the objects that an SLS can create, as the daemon shows them, without volatile fields."""
        found = {path: self.daemon.ask("GET", f"/1.0/{path}") for path in self._objects}
        found["certificates"] = self._certificates()
        found["server"] = {"config": self.daemon.ask("GET", "/1.0")["config"]}
        return {path: _lasting(each) for path, each in found.items()}

    def _certificates(self):
        entries = self.daemon.ask("GET", "/1.0/certificates?recursion=1")
        return {entry["fingerprint"]: entry for entry in entries}

    def _make_what_differs(self):
        for projects in ([], ["team"]):
            entry = {"name": "admin", "type": "client", "restricted": bool(projects), "projects": projects}
            pem, _ = certificates.made()
            der = "".join(pem.splitlines()[1:-1])
            self.daemon.ask("POST", "/1.0/certificates", {**entry, "certificate": der})
        if self.has("network_address_set"):
            self.make("network-address-sets", {"name": "web", "addresses": ["192.0.2.1", "2001:db8::/32"]})
        if self.has("network_integrations"):
            config = {f"ovn.{each}_connection": "unix:/sock" for each in ("northbound", "southbound")}
            self.make("network-integrations", {"name": "region", "type": "ovn", "config": config})
        if self.has_buckets:
            self.make(BUCKETS, {"name": "media", "description": "{{ media }}"})
            self.make(f"{BUCKETS}/media/keys", {"name": "reader", "role": "read-only"})
            self.secrets += [
                key["secret-key"] for key in self.daemon.ask("GET", f"/1.0/{BUCKETS}/media/keys?recursion=1")
            ]
        if self.daemon.name != "incus7":  # a name must not contain white space there
            self.make(VOLUMES, {"name": "my data"})

    def _make_with_a_source(self):
        image = f"/1.0/images/{self.fingerprint}"
        old = self.daemon.ask("GET", image)
        put = {"properties": {**old["properties"], "owner": "{{ me }}", "password": "Hidden-3"}, "public": True}
        self.daemon.ask("PUT", image, {**put, "expires_at": FAR, "profiles": ["default"]})
        alias = {"name": "busybox", "target": self.fingerprint, "description": "a: b # c"}
        self.daemon.ask("POST", "/1.0/images/aliases", alias)
        self.daemon.ask("POST", "/1.0/instances", INSTANCE)
        self.daemon.ask("POST", "/1.0/instances/web1/snapshots", {"name": "before", "expires_at": FAR})

    def _set_up_the_server(self):
        config = {"user.contact": "{{ ops }}", "user.password": "Hidden-4"}
        if self.daemon.server == "lxd":
            self.secrets.append("Hidden-5")
            config["core.trust_password"] = "Hidden-5"
        self.daemon.ask("PATCH", "/1.0", {"config": config})


def _lasting(value):
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if key not in _CHANGING and "volatile." not in key}
        return {key: _lasting(each) for key, each in kept.items() if "password" not in key}
    return value
