"""
Tests of files on real daemons.
"""
