"""
The bodies of PATCH requests, for the kinds whose PATCH the daemon merges as documented.

Each is called with the object as it was read and the :class:`lxdapi.model.diff.Delta`, and returns None where only
a PUT of the whole object works: no PATCH but the server's removes a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxdapi.api import APIResult
    from lxdapi.model.diff import Delta


def merge(result: APIResult, delta: Delta) -> dict[str, Any] | None:
    """Return what differs."""
    return None if delta.removes else delta.touched


def merge_with_description(result: APIResult, delta: Delta) -> dict[str, Any] | None:
    """Return what differs, and the description: without it a PATCH empties it (LXD 5.0.2, Incus 6.0.4; not 7.0.2)."""
    return None if delta.removes else {**_description(result), **delta.touched}


def unset_with_description(result: APIResult, delta: Delta) -> dict[str, Any] | None:
    """Return the same for a member's part, whose PATCH also removes keys and whose PUT refuses common ones."""
    return {**_description(result), **delta.touched}


def _description(result):
    return {field: result.metadata[field] for field in ("description",) if field in result.metadata}
