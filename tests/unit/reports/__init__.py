"""
Tests of lxdapi.reports.
"""
