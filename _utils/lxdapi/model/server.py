"""
The server's configuration: a failed PATCH does not leave it unchanged.

On Incus 6.0.4 the failure erases the keys that the PATCH does not name. LXD 5.0.2 keeps the failed values, such as an
address that it cannot listen on, and then no longer starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxdapi.errors import APIException
from lxdapi.model import equality
from lxdapi.model.schema import Kind

if TYPE_CHECKING:
    from lxdapi.api import API, APIResult
    from lxdapi.model.diff import Delta

ADDRESSES = (
    *("cluster.https_address", "core.bgp_address", "core.debug_address", "core.dns_address", "core.https_address"),
    *("core.metrics_address", "core.storage_buckets_address"),
)
# The meaning of absent keys, because the daemons drop a key that is set to its default: as documented by Incus 6.0.4
# (/1.0/metadata/configuration). LXD 5.0.2 drops the same keys, as far as it knows them.
_DEFAULTS = {
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


class Server(Kind):
    """The server's configuration: an absent key has its default, and a PATCH that failed is rolled back."""

    def satisfies(self, key: str, actual: Any, declared: str | None) -> bool:
        """Return True if the actual value of a config key, or its default, is the declared one."""
        by_default = actual is None and declared and equality.equal(key, _DEFAULTS.get(key), declared)
        return bool(by_default) or super().satisfies(key, actual, declared)

    def roll_back(self, api: API, before: APIResult, delta: Delta) -> None:
        """Restore the values that the server had before a change that it refused."""
        try:
            config_now = _writable(api.get(self.path))
            config_before = _writable(before)
            lost = {
                key: config_before.get(key, "")
                for key in delta.touched["config"]
                if config_now.get(key) != config_before.get(key)
            }
            if lost:
                api.patch(self.path, json={"config": {**config_now, **lost}})
        except APIException:
            pass  # the caller reports the refusal


def patch_body(result: APIResult, delta: Delta) -> dict[str, Any]:
    """
    Return the body of a PATCH: the difference, and the keys that have to be repeated.

    A PUT keeps a user.* key that it does not name; a PATCH with an empty value removes any key (all three). On
    Incus 6.0.4 a failed PATCH loses the keys that it does not name: the server's own keys at once if the daemon refuses
    a key, those of the cluster at the next start if it cannot listen on an address.
    """
    # on LXD 5.0.2 "" is false, even if the default is true
    defaults = _DEFAULTS if result.metadata["environment"]["server"] == "lxd" else {}
    changed = {
        key: value or ("true" if defaults.get(key) == "true" else "") for key, value in delta.touched["config"].items()
    }
    return {**delta.touched, "config": {**_writable(result), **changed}}


def _writable(result):
    """Return the config without the keys that cannot be sent: a password reads as True, and a PATCH leaves it alone."""
    config = {key: value for key, value in (result.metadata["config"] or {}).items() if isinstance(value, str)}
    return {key: value for key, value in config.items() if not key.startswith("volatile.")}
