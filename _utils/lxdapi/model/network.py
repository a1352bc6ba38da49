"""
Networks: their rules beyond the table of kinds.
"""

from __future__ import annotations

from typing import Any

from lxdapi import validation
from lxdapi.errors import APIException
from lxdapi.model.schema import Kind


class Network(Kind):
    """The daemon lists the interfaces of the host like its networks, and creates no network with the name of one."""

    def obstacle(self, api: Any, name: str) -> str:
        """Return that the host has an interface of this name, "" otherwise."""
        try:
            found = api.get(validation.path(self.path, name=name)).metadata
        except APIException:
            return ""
        exists = found.get("managed") is False
        return (
            f"the host has an interface {name}, which the daemon does not manage: choose another name" if exists else ""
        )
