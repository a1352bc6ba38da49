"""
What is there, for people and as SLS.
"""
