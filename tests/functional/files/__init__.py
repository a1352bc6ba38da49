"""
Tests of files with real daemons.
"""
