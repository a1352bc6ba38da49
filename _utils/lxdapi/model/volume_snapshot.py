"""
Snapshots of volumes: their rules beyond the table of kinds.
"""

from lxdapi.model.schema import Kind


class VolumeSnapshot(Kind):
    """A snapshot of a volume is created without a description, and listed as ``volume/snapshot``."""

    after_create = ("description",)
    listed_with_parent = True
