"""
Tests of http on real daemons.
"""
