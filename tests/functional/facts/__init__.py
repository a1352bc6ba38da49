"""
What the daemons do, as docs/daemons.rst lists it, asked by raw requests.
"""
