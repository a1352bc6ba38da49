"""
What storage pools need beyond the table.
"""

from lxdapi.model.schema import Kind


class StoragePool(Kind):
    """A pool has a driver, and old daemons do not resize one that is there."""

    required = ("driver",)
    needs_extension_to_apply = {"config.size": "storage_pool_loop_resize"}
