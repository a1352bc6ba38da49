"""
Tests without a daemon; the folders are those of the package.
"""
