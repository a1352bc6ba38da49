"""
Clusters: their members, and the objects with a part on each member.
"""
