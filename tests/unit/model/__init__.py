"""
Tests of lxdapi.model.
"""
