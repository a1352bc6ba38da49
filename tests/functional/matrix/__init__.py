"""
The life of each kind, one row for each case.
"""
