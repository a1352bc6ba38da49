"""
Facts about networks and related resources.

No network here ever has the name ``..``: LXD 5.0.2 and Incus 6.0.4 would remove their own folder with it.
"""

BRIDGE = "networks/lxdapi6"
FORWARDS, FORWARD = f"{BRIDGE}/forwards", f"{BRIDGE}/forwards/192.0.2.1"
QUIET = {"ipv4.dhcp": "false", "ipv6.address": "none", "dns.mode": "none"}
PORT = {"protocol": "tcp", "listen_port": "80", "target_address": "10.77.6.5"}
RULE = {"action": "allow", "state": "enabled"}
RECORDS, RECORD = "network-zones/z.test/records", "network-zones/z.test/records/www"
A = {"type": "A", "value": "192.0.2.1"}
SETS = "network-address-sets"
OWN = {"description": "mine", "config": {"user.a": "1"}}
BOTH = {"user.a": "1", "user.b": "2"}
KEPT = {**PORT, "listen_port": "443,80", "description": "", "target_port": ""}


def forward(asked, **fields):
    asked.bridge(config={"ipv4.address": "10.77.6.1/24", **QUIET})
    asked.do("POST", FORWARDS, {"listen_address": "192.0.2.1", **fields})
    return asked.read(FORWARD)


def acl(asked, *rules, **fields):
    asked.do("POST", "network-acls", {"name": "web", "ingress": rules, **fields})
    return asked.read("network-acls/web")


def record(asked, **fields):
    asked.do("POST", "network-zones", {"name": "z.test", **OWN})
    asked.do("POST", RECORDS, {"name": "www", **fields})
    return asked.read(RECORD)


def patch_network(asked):
    asked.bridge(description="mine")
    return asked.patched(BRIDGE)["description"]


def patch_network_forward(asked):
    forward(asked, ports=[PORT], **OWN)
    found = asked.patched(FORWARD)
    refused = asked.status("PATCH", FORWARD, {"description": "one"})
    return found["description"], found["config"], len(found["ports"]), refused


def patch_network_acl(asked):
    acl(asked, RULE, **OWN)
    found = asked.patched("network-acls/web")
    refused = asked.status("PATCH", "network-acls/web", {"description": "one"})
    return found["description"], found["config"], found["ingress"], refused


def patch_network_zone(asked):
    asked.do("POST", "network-zones", {"name": "z.test", **OWN})
    found = asked.patched("network-zones/z.test")
    refused = asked.status("PATCH", "network-zones/z.test", {"description": "one"})
    return found["description"], found["config"], refused


def patch_network_zone_record(asked):
    record(asked, entries=[A], description="mine", config={"user.c": "3"})
    found = asked.patched(RECORD)
    return found["description"], found["config"], found["entries"]


def address_set(asked):
    return asked.status("POST", SETS, {"name": "web", "addresses": ["192.0.2.1"], "external_ids": {"a": "b"}, **OWN})


def patch_network_address_set(asked):
    if address_set(asked) == 404:
        return 404
    found = asked.patched(f"{SETS}/web")
    refused = asked.status("PATCH", f"{SETS}/web", {"description": "one"})
    return found["description"], found["config"], found["addresses"], refused


def address_set_external_ids(asked):
    return address_set(asked) == 201 and "external_ids" in asked.read(f"{SETS}/web")


def forward_requests(asked):
    asked.bridge(config={"ipv4.address": "none", "ipv6.address": "fd42:77:6::1/64", "ipv6.dhcp": "false"})
    other, path = "2001:DB8:0::1", f"{FORWARDS}/2001:db8::1"
    found = [asked.status("POST", FORWARDS, {"listen_address": address}) for address in (other, "2001:db8::1")]
    found += [asked.status("GET", each) for each in (f"{FORWARDS}/{other}", path)]
    found += [asked.stale(path, {"config": {}}), asked.status("POST", path, {"listen_address": "2001:db8::2"})]
    return found + [asked.status("DELETE", BRIDGE)]


def zone_renames(asked):
    record(asked)
    return [asked.status("POST", path, {"name": "new"}) for path in ("network-zones/z.test", RECORD)]


def network_auto(asked):
    asked.bridge(config={"ipv4.address": "auto", **QUIET})
    found = [asked.read(BRIDGE)["config"]["ipv4.address"]]
    asked.do("PATCH", BRIDGE, {"config": {"ipv4.address": "auto"}})
    found.append(asked.read(BRIDGE)["config"]["ipv4.address"])
    return found[0] == found[1], "auto" in found


def network_filled_in(asked):
    asked.do("POST", "networks", {"name": "lxdapi6", "config": QUIET})
    found = asked.read(BRIDGE)
    return found["type"], sorted(set(found["config"]) - set(QUIET))


def network_exists(asked):
    asked.bridge()
    return asked.status("POST", "networks", {"name": "lxdapi6", "type": "bridge"})


def network_in_use(asked):
    asked.bridge()
    asked.do("POST", "profiles", {"name": "p", "devices": {"eth0": {"type": "nic", "network": "lxdapi6"}}})
    return [asked.status("DELETE", BRIDGE), asked.status("POST", BRIDGE, {"name": "lxdapi5"})]


def network_of_the_machine(asked):
    body = {"name": "lo", "type": "bridge", "config": {"ipv4.address": "none", "ipv6.address": "none"}}
    found = asked.read("networks/lo")["managed"], asked.status("GET", "networks/lo/forwards")
    return *found, asked.status("POST", "networks", body)


def load_balancers_of_a_bridge(asked):
    asked.bridge()
    return asked.status("GET", f"{BRIDGE}/load-balancers")


def peers_of_a_bridge(asked):
    asked.bridge()
    return asked.status("GET", f"{BRIDGE}/peers")


def forwards_of_a_macvlan(asked):
    asked.bridge()
    asked.do("POST", "networks", {"name": "lan", "type": "macvlan", "config": {"parent": "lxdapi6"}})
    return asked.status("GET", "networks/lan/forwards")


def acl_exists(asked):
    acl(asked)
    return asked.status("POST", "network-acls", {"name": "web"})


def acl_rule_without_state(asked):
    return asked.status("POST", "network-acls", {"name": "web", "ingress": [{"action": "allow"}]})


def acl_rules_twice(asked):
    return asked.status("POST", "network-acls", {"name": "web", "ingress": [RULE, RULE]})


def acl_rule_as_kept(asked):
    sent = {
        **RULE,
        "description": "",
        "protocol": "tcp",
        "destination_port": "443, 80",
        "source": "192.0.2.1, 2001:DB8::1",
    }
    return acl(asked, sent)["ingress"]


def forward_ports(asked):
    found = forward(asked, ports=[{**PORT, "listen_port": "443, 80", "snat": True}])["ports"]
    asked.do("PUT", FORWARD, {"config": {}})
    return found, asked.read(FORWARD)["ports"]


def zone_exists(asked):
    record(asked)
    return asked.status("POST", "network-zones", {"name": "z.test"})


def zone_project(asked):
    record(asked)
    found = asked.read("network-zones/z.test"), asked.read("network-zones?recursion=1")[0]
    return [each.get("project") for each in found]


def zone_with_records(asked):
    record(asked)
    return asked.status("DELETE", "network-zones/z.test")


def record_exists(asked):
    record(asked)
    return asked.status("POST", RECORDS, {"name": "www"})


def record_entries(asked):
    sent = record(asked)["entries"]
    asked.do("PUT", RECORD, {"config": {}, "entries": [{**A, "ttl": 0}]})
    return sent, asked.read(RECORD)["entries"]


def address_sets_path(asked):
    return asked.status("GET", SETS)


# question: the answers of LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2
DIFFERS = {
    patch_network_address_set: (404, 404, ("", BOTH, [], "closed")),
    address_sets_path: (404, 404, 200),
    network_exists: (400, 409, 409),
    load_balancers_of_a_bridge: (404, 400, 400),
    forward_ports: (([KEPT], []), ([KEPT], []), ([{**KEPT, "snat": True}], None)),
    zone_project: ([None, None], ["", "default"], ["", "default"]),
    record_exists: (500, 500, 409),
}
# question: the answer of all daemons
ALIKE = {
    patch_network: "",
    patch_network_forward: ("", BOTH, 1, "closed"),
    patch_network_acl: ("", BOTH, [], "closed"),
    patch_network_zone: ("", BOTH, "closed"),
    patch_network_zone_record: ("", BOTH, None),
    forward_requests: [201, 409, 404, 200, 200, 501, 200],
    zone_renames: [501, 501],
    network_auto: (False, False),
    network_filled_in: ("bridge", ["ipv4.address", "ipv4.nat"]),
    network_in_use: [400, 400],
    network_of_the_machine: (False, 404, 500),
    peers_of_a_bridge: 400,
    forwards_of_a_macvlan: 400,
    acl_exists: 400,
    address_set_external_ids: False,
    acl_rule_without_state: 500,
    acl_rules_twice: 500,
    acl_rule_as_kept: [{**RULE, "protocol": "tcp", "destination_port": "443,80", "source": "192.0.2.1,2001:DB8::1"}],
    zone_exists: 400,
    zone_with_records: 200,
    record_entries: (None, [A]),
}
