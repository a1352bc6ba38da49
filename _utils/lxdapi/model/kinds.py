"""
The table of resource kinds: what differs between them, as data.

A kind is one word everywhere: the key here, the state file ``lxdapi_<kind>``, the first argument of
``lxdapi.list`` and ``lxdapi.get``, the test ids, the headings of the documentation.
"""

from __future__ import annotations

from lxdapi.errors import InvalidError
from lxdapi.model import patches, server
from lxdapi.model.cluster_group import ClusterGroup
from lxdapi.model.instance import Instance
from lxdapi.model.instance_snapshot import InstanceSnapshot
from lxdapi.model.network import Network
from lxdapi.model.network_acl import NetworkACL
from lxdapi.model.network_peer import NetworkPeer
from lxdapi.model.profile import Profile
from lxdapi.model.project import Project
from lxdapi.model.schema import ClusterRules, CreateRules, Items, Kind, WriteRules
from lxdapi.model.server import Server
from lxdapi.model.storage_pool import StoragePool
from lxdapi.model.storage_volume import StorageVolume
from lxdapi.model.volume_snapshot import VolumeSnapshot

_RULE = Items(
    (
        *("action", "protocol", "source", "source_port", "destination", "destination_port"),
        *("icmp_type", "icmp_code"),
    ),
    {"state": "text", "description": "text"},
    {"state": "enabled"},
    ("source", "source_port", "destination", "destination_port"),
)
# The time that clears the expiry of a snapshot: the daemons store 1970-01-01 as a time in the past (all three).
_ZERO = "0001-01-01T00:00:00Z"
# The snapshot that was restored: only this key records it, and without it the restore would be repeated.
RESTORED_FROM_KEY = "user.lxdapi.restored"
_LISTENS = ("protocol", "listen_port")
# The keys that the daemon adds to a new network with subnets.
_SUBNETS = ("ipv4.address", "ipv4.nat", "ipv6.address", "ipv6.nat")
# A macvlan, physical or SR-IOV network has an interface. An OVN network has an uplink and subnets, which need NAT where
# the uplink does not route them, and the daemon restores its MTU.
_REQUIRED = {
    "ovn": ("network", "bridge.mtu", *_SUBNETS),
    **dict.fromkeys(("macvlan", "physical", "sriov"), ("parent",)),
}

KINDS = {
    "certificate": Kind(
        "certificates/{name}",
        ("description", "name", "projects", "restricted", "type"),
        "certificate",
        key="",
        rule="fingerprint",
        create_only=("type",),
        extensions={"description": "certificate_description"},
        of_server=True,
        create=CreateRules(fields=("certificate",), defaults={"type": "client"}),
    ),
    # Incus 6.0.4 fails to PATCH the members.
    "cluster_group": ClusterGroup(
        "cluster/groups/{name}",
        ("config", "description", "members"),
        "cluster group",
        rule="token",
        extension="clustering_groups",
        extensions={"config": "clustering_groups_config"},
        of_server=True,
        rename=True,
        cluster=ClusterRules(only=True),
    ),
    "cluster_member": Kind(
        "cluster/members/{name}",
        ("config", "description", "failure_domain", "groups", "roles"),
        "cluster member",
        key="server_name",
        rule="token",
        of_server=True,
        rename=True,
        force_delete=True,
        create=CreateRules(hint="use lxdapi_cluster.joined on the new server"),
        write=WriteRules(read_only=("architecture",), slow=True),
        cluster=ClusterRules(only=True),
    ),
    # PATCH of an image drops expires_at silently (LXD 5.0.2, Incus 6.0.4, 7.0.2); PUT writes it.
    "image": Kind(
        "images/{name}",
        ("auto_update", "expires_at", "profiles", "properties", "public"),
        "image",
        key="fingerprint",
        rule="fingerprint",
        project_feature="features.images",
        create=CreateRules(hint="upload it with lxdapi_image.present or lxdapi_image.upload"),
        write=WriteRules(read_only=("architecture",)),
    ),
    # PATCH of an alias answers 500 "context deadline exceeded" on LXD 5.0.2; PUT works on both.
    "image_alias": Kind(
        "images/aliases/{name}",
        ("description", "target"),
        "image alias",
        rule="any",
        project_feature="features.images",
        rename=True,
    ),
    "instance": Instance(
        "instances/{name}",
        ("architecture", "config", "description", "devices", "ephemeral", "profiles"),
        "instance",
        rule="instance",
        create_only=("type",),
        rename=True,
        create=CreateRules(fields=("source",)),
        write=WriteRules(
            patch=patches.merge_with_description, server_owned=("volatile.", "image.", "oci.", RESTORED_FROM_KEY)
        ),
    ),
    "instance_snapshot": InstanceSnapshot(
        "instances/{instance}/snapshots/{name}",
        ("expires_at",),
        "instance snapshot",
        rule="snapshot",
        parents=("instance",),
        create_only=("stateful",),
        rename=True,
        create=CreateRules(verifiable=False),
        write=WriteRules(
            expiry_reset=_ZERO, read_only=("architecture", "config", "description", "devices", "ephemeral", "profiles")
        ),
    ),
    "network": Network(
        "networks/{name}",
        ("config", "description"),
        "network",
        rule="token",
        create_only=("type",),
        project_feature="features.networks",
        rename=True,
        create=CreateRules(server_defaults={"bridge": _SUBNETS, "ovn": _SUBNETS}),
        write=WriteRules(server_owned=("volatile.",), required=_REQUIRED, slow=True),
        cluster=ClusterRules(parts=True),
    ),
    "network_acl": NetworkACL(
        "network-acls/{name}",
        ("config", "description", "egress", "ingress"),
        "network ACL",
        rule="token",
        items={"egress": _RULE, "ingress": _RULE},
        extension="network_acl",
        project_feature="features.networks",
        rename=True,
    ),
    # PATCH of a set empties fields that it does not name, and without config the daemon's handler panics (Incus 7.0.2).
    "network_address_set": Kind(
        "network-address-sets/{name}",
        ("addresses", "config", "description"),
        "network address set",
        extension="network_address_set",
        project_feature="features.networks",
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
        extension="network_forward",
        extensions={"ports.snat": "network_forward_snat"},
        project_feature="features.networks",
        write=WriteRules(trimmed=("description",)),
        cluster=ClusterRules(local=True),
    ),
    "network_integration": Kind(
        "network-integrations/{name}",
        ("config", "description"),
        "network integration",
        create_only=("type",),
        extension="network_integrations",
        of_server=True,
        rename=True,
        create=CreateRules(defaults={"type": "ovn"}),
        write=WriteRules(required={"ovn": ("ovn.northbound_connection", "ovn.southbound_connection")}),
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
            "ports": Items(
                _LISTENS,
                {"description": "text", "target_backend": "names"},
                lists=("listen_port",),
                ordered_by=("target_backend", "backends", "target_port"),
            ),
        },
        extension="network_load_balancer",
        project_feature="features.networks",
        write=WriteRules(trimmed=("description",)),
    ),
    "network_peer": NetworkPeer(
        "networks/{network}/peers/{name}",
        ("config", "description"),
        "network peer",
        rule="token",
        parents=("network",),
        create_only=("target_integration", "target_network", "target_project", "type"),
        extension="network_peer",
        extensions={"target_integration": "network_integrations", "type": "network_integrations"},
        project_feature="features.networks",
    ),
    "network_zone": Kind(
        "network-zones/{name}",
        ("config", "description"),
        "network zone",
        extension="network_dns",
        project_feature="features.networks.zones",
    ),
    "network_zone_record": Kind(
        "network-zones/{network_zone}/records/{name}",
        ("config", "description", "entries"),
        "network zone record",
        parents=("network_zone",),
        items={"entries": Items(("type", "value"), {"ttl": "number"}, addresses=("value",))},
        extension="network_dns_records",
        project_feature="features.networks.zones",
    ),
    "profile": Profile(
        "profiles/{name}",
        ("config", "description", "devices"),
        "profile",
        project_feature="features.profiles",
        rename=True,
        write=WriteRules(patch=patches.merge),
    ),
    # PATCH replaces the whole config (LXD 5.0.2, Incus 6.0.4).
    "project": Project(
        "projects/{name}",
        ("config", "description"),
        "project",
        rule="token",
        extensions={"force": "projects_force_delete"},
        of_server=True,
        rename=True,
        force_delete=True,
        create=CreateRules(
            server_defaults={
                "": ("features.images", "features.profiles", "features.storage.buckets", "features.storage.volumes")
            }
        ),
        write=WriteRules(server_owned=("features.",), slow=True),
    ),
    "server": Server(
        "",
        ("config",),
        "server",
        key="",
        rule="any",
        of_server=True,
        create=CreateRules(hint="every server has its own"),
        write=WriteRules(patch=server.patch_body, server_owned=(*server.ADDRESSES, "volatile.")),
    ),
    "storage_bucket": Kind(
        "storage-pools/{storage_pool}/buckets/{name}",
        ("config", "description"),
        "storage bucket",
        rule="token",
        parents=("storage_pool",),
        extension="storage_buckets",
        project_feature="features.storage.buckets",
        write=WriteRules(server_owned=("volatile.",), slow=True),
        cluster=ClusterRules(local=True),
    ),
    "storage_bucket_key": Kind(
        "storage-pools/{storage_pool}/buckets/{storage_bucket}/keys/{name}",
        ("access-key", "description", "role", "secret-key"),
        "storage bucket key",
        rule="token",
        parents=("storage_pool", "storage_bucket"),
        extension="storage_buckets",
        project_feature="features.storage.buckets",
        create=CreateRules(defaults={"role": "read-only"}),
        cluster=ClusterRules(local=True),
    ),
    "storage_pool": StoragePool(
        "storage-pools/{name}",
        ("config", "description"),
        "storage pool",
        rule="token",
        create_only=("driver",),
        create_only_config={"source": "volatile.initial_source"},
        of_server=True,
        write=WriteRules(server_owned=("source", "size", "volatile."), slow=True),
        cluster=ClusterRules(parts=True),
    ),
    "storage_volume": StorageVolume(
        "storage-pools/{storage_pool}/volumes/custom/{name}",
        ("config", "description"),
        "storage volume",
        parents=("storage_pool",),
        create_only=("content_type",),
        extensions={"content_type.iso": "custom_volume_iso"},
        project_feature="features.storage.volumes",
        rename=True,
        create=CreateRules(fields=("source",)),
        write=WriteRules(server_owned=("volatile.", RESTORED_FROM_KEY), slow=True),
        cluster=ClusterRules(local=True),
    ),
    "volume_snapshot": VolumeSnapshot(
        "storage-pools/{storage_pool}/volumes/custom/{storage_volume}/snapshots/{name}",
        ("description", "expires_at"),
        "volume snapshot",
        rule="token",
        parents=("storage_pool", "storage_volume"),
        project_feature="features.storage.volumes",
        rename=True,
        create=CreateRules(verifiable=False),
        write=WriteRules(expiry_reset=_ZERO, read_only=("config",), slow=True),
        cluster=ClusterRules(local=True),
    ),
    "warning": Kind(
        "warnings/{name}",
        ("status",),
        "warning",
        key="uuid",
        rule="token",
        extension="warnings",
        of_server=True,
        create=CreateRules(hint="only the daemon creates warnings"),
    ),
}


def get_kind(kind_name: str) -> Kind:
    """Return the :class:`Kind` of this name; raises :class:`InvalidError` with the names of all kinds."""
    try:
        return KINDS[kind_name]
    except (KeyError, TypeError):
        raise InvalidError(f"unknown kind {kind_name!r}; choose from: {', '.join(sorted(KINDS))}") from None
