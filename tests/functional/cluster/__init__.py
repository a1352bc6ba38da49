"""
Tests of cluster on real daemons.
"""
