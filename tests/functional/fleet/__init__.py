"""
Tests of fleets with real daemons.
"""
