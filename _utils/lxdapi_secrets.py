"""
What must not be seen in a log, an error or a ``changes`` dict, and how it is masked.
"""

import json
import re
from urllib.parse import urlsplit, urlunsplit

MASK = "(hidden)"

# Whole words of a key's name: "core.trust_password", "trust_token", "secret", "user.api-key".
_SECRET_KEY = re.compile(
    r"(?i)(password|passwd|passphrase|secret|token|private[._-]?key|api[._-]?key|credential)"
)
# Free text that people put passwords and keys into; masked where whole requests are printed.
_SECRET_TEXT = re.compile(r"(?i)(cloud-init\.|user\.(user|vendor|network)-(data|config))")
_SECRET_QUERY = re.compile(r"(?i)((?:^|&)[^=&]*(?:secret|password|token)[^=&]*=)[^&]*")


def is_secret(key):
    """Return True if the value of this config key must not be shown."""
    return bool(_SECRET_KEY.search(str(key)))


def mask_value(key, value):
    """Return the value, or a mask where the key says that it is secret and there is something."""
    return MASK if is_secret(key) and value not in (None, "") else value


def mask_url(url):
    """Return the URL with the secrets of its query masked."""
    parts = urlsplit(url)
    if not parts.query:
        return url
    return urlunsplit(parts._replace(query=_SECRET_QUERY.sub(rf"\1{MASK}", parts.query)))


def mask_json(data):
    """Return a copy of decoded JSON in which every secret value is masked."""
    if isinstance(data, dict):
        return {key: _masked(key, value) for key, value in data.items()}
    if isinstance(data, list):
        return [mask_json(item) for item in data]
    return data


def _masked(key, value):
    if isinstance(value, (dict, list)):
        return mask_json(value)
    hidden = is_secret(key) or _SECRET_TEXT.search(str(key))
    return MASK if hidden and value not in (None, "", False, True) else value


def mask_words(words, body):
    """
    Return the daemon's words without the secret values that the request held: some errors quote
    what was sent.
    """
    for value in _secret_values(_decoded(body)):
        words = words.replace(value, MASK)
    return words


def _decoded(body):
    if not isinstance(body, (str, bytes)):
        return None
    try:
        return json.loads(body)
    except ValueError:
        return None


def _secret_values(data):
    if isinstance(data, list):
        return [value for item in data for value in _secret_values(item)]
    if not isinstance(data, dict):
        return []
    found = [str(value) for key, value in data.items() if value and _masked(key, value) == MASK]
    return found + [value for item in data.values() for value in _secret_values(item)]
