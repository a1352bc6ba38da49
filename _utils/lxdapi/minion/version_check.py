"""
The check that fronts and library have the same version.
"""

import os

from lxdapi.errors import InvalidError
from lxdapi.version import VERSION


def require_one_version(names):
    """
    Raise :class:`InvalidError` if a front has another version than the library.

    names
        The globals of the front that is called. They have the version of the front as it was loaded: an update during a
        run changes the files, but neither the front nor the library in memory.
    """
    version = names.get("__version__")
    if version not in (None, VERSION):
        library = os.path.dirname(os.path.dirname(__file__))
        raise InvalidError(
            f"lxdapi {version} ({names['__file__']}) runs with the library of lxdapi {VERSION} ({library}). Over "
            "salt-ssh, run salt-ssh -t. Otherwise lxdapi is installed twice, by pip and by saltutil.sync_all: remove "
            "one"
        )
