"""
Snapshots of instances: their rules beyond the table of kinds.
"""

from lxdapi.model.schema import Kind


class InstanceSnapshot(Kind):
    """The name of an instance's snapshot is decoded twice."""

    decoded_twice = True
