"""
Tests of lxdapi.trust.
"""
