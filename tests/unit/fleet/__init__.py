"""
Tests of lxdapi.fleet.
"""
