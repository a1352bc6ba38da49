"""
Clusters and their members.
"""
