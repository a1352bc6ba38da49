"""
Tests of trust with real daemons.
"""
