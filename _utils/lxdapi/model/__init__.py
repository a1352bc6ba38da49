"""
The kinds of resources, and how what is declared differs from what is.
"""
