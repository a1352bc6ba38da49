"""
Tests of lxdapi.http.
"""
