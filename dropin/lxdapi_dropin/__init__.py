"""
The drop-in, installed by pip: Salt's loader looks for ``modules/`` and ``states/`` below this package.
"""
