"""
Projects: their rules beyond the table of kinds.
"""

from __future__ import annotations

from typing import Any

from lxdapi.model import equality
from lxdapi.model.schema import Kind

_OFF = "false"


class Project(Kind):
    """A new project has a profile, which is deleted with the project. A feature that is not set is off."""

    implicit_users = ("profiles/default?project={name}",)
    permanent = {"default": "each server has one"}

    def satisfies(self, key: str, actual: Any, declared: str | None) -> bool:
        """
        Return True if the actual value of a config key fulfils the declared one.

        Where a feature is off, the daemons refuse to turn it off again, because there is nothing of its own left to
        delete.
        """
        if key.startswith("features."):
            return equality.equal(key, actual or _OFF, declared or _OFF)
        return super().satisfies(key, actual, declared)
