"""
The kinds of resources, and the comparison of declared and actual objects.
"""
