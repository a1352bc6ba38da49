"""
Functional tests of instances that become minions.
"""
