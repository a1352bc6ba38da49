"""
Tests of lxdapi.cluster.
"""
