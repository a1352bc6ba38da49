"""
Tests with Salt's own commands.
"""
