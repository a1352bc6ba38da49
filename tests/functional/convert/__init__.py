"""
Tests of reports with real daemons.
"""
