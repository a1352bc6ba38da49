"""
The tests of lxdapi: unit, functional, integration, and their shared code.
"""
