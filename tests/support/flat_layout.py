"""
lxdapi before the library became a package: a front and ``_utils/lxdapi_*.py``.
"""

from pathlib import Path

FILES = {
    "_modules/lxdapi.py": "import lxdapi_api\n\n\ndef server(remote=None):\n    return lxdapi_api.ANSWER\n",
    "_modules/lxdapi_gone.py": "def answer():\n    return 42\n",
    "_utils/lxdapi_api.py": "from lxdapi_errors import ANSWER\n",
    "_utils/lxdapi_errors.py": 'ANSWER = "flat"\n',
}
# The environment of the file server with these files.
SALTENV = "flat"


def write(folder):
    """Write the files to the folder and return it."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def left(extension_modules):
    """Return the names of the files of this layout that are still among a minion's synced modules."""
    flat = {Path(name).name for name in FILES} - {"lxdapi.py"}
    return {path.name for path in Path(extension_modules).glob("*/*.py")} & flat
