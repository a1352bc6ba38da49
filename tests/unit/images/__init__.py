"""
Tests of lxdapi.images.
"""
