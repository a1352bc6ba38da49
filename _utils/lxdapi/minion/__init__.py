"""
The Salt side of the library: connections, state runs, prefetch and the read cache.
"""
