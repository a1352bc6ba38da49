"""
Tests of the drop-in with real daemons.
"""
