"""
The table of resource kinds: what differs between them, as data.

A kind is one word everywhere: the key here, the state file ``lxdapi_<kind>``, the first argument of
``lxdapi.list`` and ``lxdapi.get``, the test ids, the headings of the documentation.
"""

from lxdapi_errors import InvalidError
from lxdapi_kind import Items, Kind

_RULE = Items(
    (
        *("action", "protocol", "source", "source_port", "destination", "destination_port"),
        *("icmp_type", "icmp_code"),
    ),
    {"state": "text", "description": "text"},
    {"state": "enabled"},
    ("source", "source_port", "destination", "destination_port"),
)
# Of a snapshot only the zero time does it: 1970-01-01 is stored, as a time long past (all three).
_ZERO = "0001-01-01T00:00:00Z"
# What was restored: nobody tells it but this key in the config, and without it it would be restored once more.
MARK = "user.lxdapi.restored"
_LISTENS = ("protocol", "listen_port")

# As Incus 6.0.4 documents them (/1.0/metadata/configuration); LXD 5.0.2 drops the same where it knows the key.
_SERVER_DEFAULTS = {
    "acme.agree_tos": "false",
    "acme.ca_url": "https://acme-v02.api.letsencrypt.org/directory",
    "acme.challenge": "HTTP-01",
    "acme.http.port": ":80",
    "backups.compression_algorithm": "gzip",
    "cluster.healing_threshold": "0",
    "cluster.images_minimal_replica": "3",
    "cluster.join_token_expiry": "3H",
    "cluster.max_standby": "2",
    "cluster.max_voters": "3",
    "cluster.offline_threshold": "20",
    "cluster.rebalance.batch": "1",
    "cluster.rebalance.cooldown": "6H",
    "cluster.rebalance.interval": "0",
    "cluster.rebalance.threshold": "20",
    "core.https_allowed_credentials": "false",
    "core.metrics_authentication": "true",
    "core.shutdown_timeout": "5",
    "core.syslog_socket": "false",
    "core.trust_ca_certificates": "false",
    "images.auto_update_cached": "true",
    "images.auto_update_interval": "6",
    "images.compression_algorithm": "gzip",
    "images.remote_cache_expiry": "10",
    "instances.lxcfs.per_instance": "false",
    "instances.nic.host_name": "random",
    "loki.loglevel": "info",
    "loki.types": "lifecycle,logging",
    "network.ovn.integration_bridge": "br-int",
}

KINDS = {
    "certificate": Kind(
        "certificates/{name}",
        ("description", "name", "projects", "restricted", "type"),
        "certificate",
        create_only=("type",),  # and a PUT needs it as it is
        creates=("certificate",),
        defaults={"type": "client"},
        key="",
        rule="fingerprint",
        patch=False,
        extensions={"description": "certificate_description"},
        of_server=True,
    ),
    # Incus 6.0.4 and 7.0.2 leave a member in its last group without a word, and 6.0.4 fails to PATCH the members.
    "cluster_group": Kind(
        "cluster/groups/{name}",
        ("config", "description", "members"),
        "cluster group",
        rule="token",
        patch=False,
        checked=True,
        extension="clustering_groups",
        extensions={"config": "clustering_groups_config"},
        clustered=True,
        rename=True,
        of_server=True,
    ),
    "cluster_member": Kind(
        "cluster/members/{name}",
        ("config", "description", "failure_domain", "groups", "roles"),
        "cluster member",
        key="server_name",
        rule="token",
        patch=False,
        automatic=("database", "database-leader", "database-standby"),
        clustered=True,
        made="a server becomes one by joining the cluster",
        rename=True,
        forcible=True,
        of_server=True,
    ),
    # PATCH of an image drops expires_at silently (LXD 5.0.2, Incus 6.0.4, 7.0.2); PUT writes it.
    "image": Kind(
        "images/{name}",
        ("auto_update", "expires_at", "profiles", "properties", "public"),
        "image",
        key="fingerprint",
        rule="fingerprint",
        patch=False,
        made="it is uploaded, by lxdapi_image.present or lxdapi_image.upload",
    ),
    # PATCH of an alias answers 500 "context deadline exceeded" on LXD 5.0.2; PUT works on both.
    "image_alias": Kind(
        "images/aliases/{name}", ("description", "target"), "image alias", rule="any", patch=False, rename=True
    ),
    # PATCH of an instance without description empties it (LXD 5.0.2, Incus 6.0.4; not 7.0.2).
    "instance": Kind(
        "instances/{name}",
        ("architecture", "config", "description", "devices", "ephemeral", "profiles"),
        "instance",
        create_only=("type",),
        creates=("source",),
        rule="instance",
        patch_with=("description",),
        kept=("volatile.", "image.", MARK),
        rename=True,
    ),
    "instance_snapshot": Kind(
        "instances/{instance}/snapshots/{name}",
        ("expires_at",),
        "instance snapshot",
        create_only=("stateful",),
        rule="token",
        parents=("instance",),
        patch=False,
        rename=True,
        never=_ZERO,
    ),
    "network": Kind(
        "networks/{name}",
        ("config", "description"),
        "network",
        create_only=("type",),
        rule="token",
        patch=False,
        kept=("volatile.",),
        rename=True,
    ),
    "network_acl": Kind(
        "network-acls/{name}",
        ("config", "description", "egress", "ingress"),
        "network ACL",
        rule="token",
        items={"egress": _RULE, "ingress": _RULE},
        patch=False,
        extension="network_acl",
        rename=True,
    ),
    # PATCH of a set empties what it does not name, and without config the daemon's handler panics (Incus 7.0.2).
    "network_address_set": Kind(
        "network-address-sets/{name}",
        ("addresses", "config", "description"),
        "network address set",
        patch=False,
        extension="network_address_set",
        rename=True,
    ),
    "network_forward": Kind(
        "networks/{network}/forwards/{name}",
        ("config", "description", "ports"),
        "network forward",
        key="listen_address",
        rule="address",
        parents=("network",),
        items={
            "ports": Items(
                _LISTENS,
                {"description": "text", "target_address": "parts", "target_port": "parts", "snat": "bool"},
                lists=("listen_port",),
                beside={"target_port": "listen_port"},
            )
        },
        patch=False,
        trimmed=("description",),
        extension="network_forward",
        extensions={"ports.snat": "network_forward_snat"},
    ),
    "network_load_balancer": Kind(
        "networks/{network}/load-balancers/{name}",
        ("backends", "config", "description", "ports"),
        "network load balancer",
        key="listen_address",
        rule="address",
        parents=("network",),
        items={
            "backends": Items(("name",), {"description": "text", "target_address": "parts", "target_port": "parts"}),
            "ports": Items(_LISTENS, {"description": "text", "target_backend": "names"}, lists=("listen_port",)),
        },
        patch=False,
        trimmed=("description",),
        extension="network_load_balancer",
    ),
    "network_peer": Kind(
        "networks/{network}/peers/{name}",
        ("config", "description"),
        "network peer",
        create_only=("target_integration", "target_network", "target_project", "type"),
        rule="token",
        parents=("network",),
        patch=False,
        extension="network_peer",
        extensions={"target_integration": "network_integrations", "type": "network_integrations"},
    ),
    "network_zone": Kind(
        "network-zones/{name}",
        ("config", "description"),
        "network zone",
        rule="plain",
        patch=False,
        extension="network_dns",
    ),
    "network_zone_record": Kind(
        "network-zones/{network_zone}/records/{name}",
        ("config", "description", "entries"),
        "network zone record",
        rule="plain",
        parents=("network_zone",),
        items={"entries": Items(("type", "value"), {"ttl": "number"})},
        patch=False,
        extension="network_dns_records",
    ),
    "profile": Kind("profiles/{name}", ("config", "description", "devices"), "profile", rename=True),
    # PATCH replaces the whole config (LXD 5.0.2, Incus 6.0.4).
    "project": Kind(
        "projects/{name}",
        ("config", "description"),
        "project",
        rule="token",
        patch=False,
        kept=("features.",),
        extensions={"force": "projects_force_delete"},
        born_with=("profiles/default?project={name}",),
        rename=True,
        forcible=True,
        of_server=True,
    ),
    # A PUT leaves a user.* key that it does not name; PATCH with an empty value removes any (all three). A PATCH
    # that fails loses what it does not name on Incus 6.0.4: the server's own keys at once where a key is refused,
    # those of the cluster with the next start where an address cannot be listened on.
    "server": Kind(
        "",
        ("config",),
        "server",
        key="",
        rule="any",
        patch_unsets=True,
        patch_whole=True,
        kept=("cluster.https_address", "core.https_address", "volatile."),
        made="there is always one",
        of_server=True,
        assumed=_SERVER_DEFAULTS,
    ),
    "storage_bucket": Kind(
        "storage-pools/{storage_pool}/buckets/{name}",
        ("config", "description"),
        "storage bucket",
        rule="token",
        parents=("storage_pool",),
        patch=False,
        kept=("volatile.",),
        extension="storage_buckets",
        local=True,
    ),
    "storage_bucket_key": Kind(
        "storage-pools/{storage_pool}/buckets/{storage_bucket}/keys/{name}",
        ("access-key", "description", "role", "secret-key"),
        "storage bucket key",
        rule="token",
        defaults={"role": "read-only"},
        parents=("storage_pool", "storage_bucket"),
        patch=False,
        extension="storage_buckets",
        local=True,
    ),
    "storage_pool": Kind(
        "storage-pools/{name}",
        ("config", "description"),
        "storage pool",
        create_only=("driver",),
        rule="token",
        patch=False,
        kept=("source", "volatile."),
        rewritten={"source": "volatile.initial_source"},
        inert={"config.size": "storage_pool_loop_resize"},
        of_server=True,
    ),
    "storage_volume": Kind(
        "storage-pools/{storage_pool}/volumes/custom/{name}",
        ("config", "description"),
        "storage volume",
        create_only=("content_type",),
        creates=("source",),
        rule="plain",
        parents=("storage_pool",),
        patch=False,
        kept=("volatile.", MARK),
        rename=True,
        local=True,
    ),
    "volume_snapshot": Kind(
        "storage-pools/{storage_pool}/volumes/custom/{storage_volume}/snapshots/{name}",
        ("description", "expires_at"),
        "volume snapshot",
        late=("description",),
        rule="token",
        parents=("storage_pool", "storage_volume"),
        patch=False,
        rename=True,
        never=_ZERO,
        qualified=True,
        local=True,
    ),
    "warning": Kind(
        "warnings/{name}",
        ("status",),
        "warning",
        key="uuid",
        rule="token",
        patch=False,
        extension="warnings",
        made="the daemon makes it",
        declarable=False,
        of_server=True,
    ),
}


def kind_of(word):
    """Return the :class:`Kind` of that word; raises :class:`InvalidError` naming those there are."""
    try:
        return KINDS[word]
    except (KeyError, TypeError):
        raise InvalidError(f"unknown kind {word!r}; there are: {', '.join(sorted(KINDS))}") from None
