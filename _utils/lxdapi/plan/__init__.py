"""
Plans: the steps from the actual to the declared state, and their result for Salt.
"""
