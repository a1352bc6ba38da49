"""
Tests of instances with real daemons.
"""
