"""
A client of the REST API of LXD and Incus, and what brings their resources into a declared state.
"""
