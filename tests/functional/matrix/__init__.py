"""
The life of each kind, a row a case.
"""
