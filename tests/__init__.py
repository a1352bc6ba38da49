"""
The tests of lxdapi: unit, functional, integration, and what they stand on.
"""
