"""
Tests of lxdapi.instances.
"""
