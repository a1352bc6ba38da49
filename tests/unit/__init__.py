"""
Tests without a daemon, in the same folders as the package.
"""
