"""
Network ACLs: their rules beyond the table of kinds.
"""

from __future__ import annotations

from typing import Any

from lxdapi.model import equality
from lxdapi.model.schema import Kind


class NetworkACL(Kind):
    """A rule can name the ACL that it belongs to, but only if the ACL exists already."""

    def fields_after_create(self, name: str, declared: dict[str, Any]) -> dict[str, Any]:
        """Return the lists with a rule that names the ACL itself."""
        return {field: declared[field] for field in self.items if name in _subjects(declared.get(field) or ())}


def _subjects(rules):
    """Return the addresses and names that the rules apply to."""
    return {
        subject for rule in rules for key in ("source", "destination") for subject in equality.split_set(rule.get(key))
    }
