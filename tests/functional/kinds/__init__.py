"""
Tests of kinds on real daemons.
"""
