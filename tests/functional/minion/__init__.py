"""
Tests of the minion's parts with real daemons.
"""
