"""
Tests of instances on real daemons.
"""
