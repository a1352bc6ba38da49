"""
Tests with Salt's loader in-process and real daemons.
"""
