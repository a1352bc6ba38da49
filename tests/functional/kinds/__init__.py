"""
Tests of kinds with real daemons.
"""
