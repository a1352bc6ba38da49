"""
Tests of fleet on real daemons.
"""
