"""
What the snapshots of instances need beyond the table.
"""

from lxdapi.model.schema import Kind


class InstanceSnapshot(Kind):
    """The name of an instance's snapshot is decoded twice."""

    decoded_twice = True
