"""
Network peers: their rules beyond the table of kinds.
"""

from __future__ import annotations

from typing import Any

from lxdapi.model.schema import Kind


class NetworkPeer(Kind):
    """A peering has a peer in each of two networks. Incus 7.0.2 drops the config of a new peer."""

    after_create = ("config",)

    def recreate_reason(self, declared: dict[str, Any], actual: dict[str, Any]) -> str:
        """Return that the other network's peer was deleted: this one then has no target, and no write restores it."""
        is_lost = actual.get("status") == "Errored" and not actual.get("target_network")
        if not (is_lost and declared.get("target_network")):
            return ""
        return "its status is Errored: the peer of the other network was deleted, so this one must be created again"
