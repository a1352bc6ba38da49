"""
Files that take their place when they are whole.
"""

import os
import tempfile


def stage(folder, text, mode):
    """Return the path of a new file beside the one it is to be; it is its owner's alone from its first instant."""
    number, path = tempfile.mkstemp(dir=folder or ".", prefix=".lxdapi-")
    try:
        with open(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(number, mode)
            os.fsync(number)
    except BaseException:
        os.unlink(path)
        raise
    return path
