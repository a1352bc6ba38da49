"""
What the fronts for Salt share.
"""
