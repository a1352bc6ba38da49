"""
Tests of trust on real daemons.
"""
