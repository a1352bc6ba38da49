"""
Tests of clusters with real daemons.
"""
