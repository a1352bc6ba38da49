"""
Tests of reports on real daemons.
"""
