"""
The library of the drop-in: what the modules and states that Salt 3008 removed promised, on the rest of lxdapi.
"""
