"""
Storage pools: their rules beyond the table of kinds.
"""

from lxdapi.model.schema import Kind


class StoragePool(Kind):
    """A pool has a driver and copies of images, and old daemons do not resize an existing pool."""

    implicit_users = ("images/",)
    required = ("driver",)
    needs_extension_to_apply = {"config.size": "storage_pool_loop_resize"}
