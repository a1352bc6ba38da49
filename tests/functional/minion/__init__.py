"""
Tests of minion on real daemons.
"""
