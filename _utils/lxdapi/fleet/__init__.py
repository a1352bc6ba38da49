"""
Many instances at once.
"""
