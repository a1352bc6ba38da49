"""
Files inside instances.
"""
