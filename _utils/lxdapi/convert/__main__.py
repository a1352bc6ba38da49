"""
Print an SLS file for lxdapi: ``python -m lxdapi.convert FILE [NAME]``; see lxdapi.convert_sls.
"""

import sys

from lxdapi.convert.document import convert
from lxdapi.errors import InvalidError


def main(arguments):
    """Convert the file, and return the exit code."""
    if len(arguments) not in (1, 2) or arguments[0].startswith("-"):
        print("usage: python -m lxdapi.convert FILE [NAME OF THE INSTANCE]", file=sys.stderr)
        return 2
    try:
        with open(arguments[0], encoding="utf-8") as file:
            print(convert(file.read(), *arguments[1:]), end="")
    except (InvalidError, OSError, ValueError) as exc:
        print(f"{arguments[0]}: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
