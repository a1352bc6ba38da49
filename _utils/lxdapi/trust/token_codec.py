"""
The text of tokens, which are base64 of JSON: for clients that want trust, and servers that join a cluster.
"""

import base64
import json


def encode(facts):
    """Return the text of a token."""
    written = json.dumps(facts, separators=(",", ":")).encode("utf-8")
    # without a final "=", which Salt's command line would read as the end of an argument's name
    return base64.b64encode(written + b" " * (-len(written) % 3)).decode("ascii")


def decode(text):
    """Return (the text without white space, the content); ("", {}) if the text is not a token."""
    try:
        joined = "".join(text.split())
        facts = json.loads(base64.b64decode(joined, validate=True))
    except (AttributeError, TypeError, ValueError, RecursionError):
        return "", {}
    return (joined, facts) if isinstance(facts, dict) else ("", {})
