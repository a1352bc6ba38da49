"""
Cluster groups: their rules beyond the table of kinds.
"""

from lxdapi.model.schema import Kind


class ClusterGroup(Kind):
    """Incus 6.0.4 and 7.0.2 leave a member in its last group without an error."""

    ignores_writes = True
    permanent = {"default": "each cluster has one"}
