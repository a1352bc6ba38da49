"""
The text of a token, by which a client becomes trusted or a server joins a cluster: base64 of JSON.
"""

import base64
import json


def encode(facts):
    """Return the text of a token."""
    written = json.dumps(facts, separators=(",", ":")).encode("utf-8")
    # no "=" at its end, which the command line of Salt would read as that of a name
    return base64.b64encode(written + b" " * (-len(written) % 3)).decode("ascii")


def decode(text):
    """Return (the text without white space, what the token holds); ("", {}) if it is no token."""
    try:
        joined = "".join(text.split())
        facts = json.loads(base64.b64decode(joined, validate=True))
    except (AttributeError, TypeError, ValueError, RecursionError):
        return "", {}
    return (joined, facts) if isinstance(facts, dict) else ("", {})
