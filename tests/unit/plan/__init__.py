"""
Tests of lxdapi.plan.
"""
