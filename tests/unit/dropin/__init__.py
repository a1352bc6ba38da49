"""
Tests of lxdapi.dropin.
"""
