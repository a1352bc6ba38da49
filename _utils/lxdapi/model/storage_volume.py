"""
Storage volumes: their rules beyond the table of kinds.
"""

from __future__ import annotations

from typing import Any

from lxdapi.errors import InvalidError
from lxdapi.model.schema import Kind


class StorageVolume(Kind):
    """
    The daemon creates an iso volume from a file; without one, Incus creates a volume of zeros. ``limits.disk`` of a
    project counts the sizes of its volumes.
    """

    limited = ("created", "size")

    def require_valid(self, declared: dict[str, Any], actual: dict[str, Any]) -> None:
        """Raise for a new volume with a source that no request takes, or an iso volume without a source."""
        source = declared.get("source")
        if actual:
            return
        if isinstance(source, str):
            raise InvalidError.of_value(
                "source",
                "a mapping in the form of the REST API, or a file in the state lxdapi_storage_volume.present",
                source,
            )
        if declared.get("content_type") == "iso" and not source:
            raise InvalidError(
                "a new iso volume requires source: declare the iso file (a path, salt:// or https://) in the state "
                "lxdapi_storage_volume.present"
            )
        self._require_no_config(declared)

    def require_renamable(self, metadata: dict[str, Any]) -> None:
        """Raise for an iso volume: Incus 6.0.4 renames only its record, and does not find the file any more."""
        if metadata.get("content_type") == "iso":
            raise InvalidError(
                "an iso volume cannot be renamed, because some daemons rename only their record of it: create another "
                "one from its file"
            )

    @staticmethod
    def _require_no_config(declared):
        """Raise for config of an iso volume, which the daemon does not change; it sets the size to that of the file."""
        keys = sorted(set(declared.get("config") or ()) - {"size"})
        if declared.get("content_type") == "iso" and keys:
            raise InvalidError(f"config {', '.join(keys)}: an iso volume has no config but its size; omit it")
