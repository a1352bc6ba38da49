"""
Tests of the tests' own support.
"""
