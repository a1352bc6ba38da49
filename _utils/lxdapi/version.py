"""
The version of lxdapi: the library's, and what each front compares its own with.
"""

VERSION = "0.1.0"
