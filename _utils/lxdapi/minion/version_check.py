"""
The check that fronts and library have the same version.
"""

import os
import re

from lxdapi.errors import InvalidError
from lxdapi.version import VERSION


def require_one_version(names):
    """
    Raise :class:`InvalidError` if the fronts have another version than the library.

    names
        The globals of the front that is called. All fronts have the version in ``lxdapi.py`` of the execution modules
        beside it, because they are synced, installed or shipped together.
    """
    folder = os.path.dirname(os.path.dirname(names.get("__file__", "")))
    version = _version_of(folder)
    if version not in (None, VERSION):
        library = os.path.dirname(os.path.dirname(__file__))
        raise InvalidError(
            f"lxdapi {version} ({folder}) runs with the library of lxdapi {VERSION} ({library}). Over salt-ssh, "
            "run salt-ssh -t. Otherwise lxdapi is installed twice, by pip and by saltutil.sync_all: remove one"
        )


def _version_of(folder):
    """Return the version of the fronts below a folder, None if the folder has no fronts."""
    for modules in ("modules", "_modules"):
        try:
            with open(os.path.join(folder, modules, "lxdapi.py"), encoding="utf-8") as file:
                match = re.search(r'^__version__ = "(.+)"$', file.read(), re.MULTILINE)
        except OSError:
            continue
        return match and match[1]
    return None
