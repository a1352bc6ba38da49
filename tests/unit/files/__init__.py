"""
Tests of lxdapi.files.
"""
