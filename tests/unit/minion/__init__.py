"""
Tests of lxdapi.minion.
"""
