"""
What must not be seen in a log, an error or a ``changes`` dict, and how it is masked.
"""

import json
import re
from urllib.parse import urlsplit, urlunsplit

MASK = "(hidden)"

# Whole words of a key's name: "core.trust_password", "trust_token", "secret", "user.api-key".
_SECRET_KEY = re.compile(r"(?i)(password|passwd|passphrase|secret|token|private[._-]?key|api[._-]?key|credential)")
# Free text that people put passwords and keys into, and the keys of an operation's websockets; masked
# where whole requests are printed.
_SECRET_TEXT = re.compile(r"(?i)(cloud-init\.|user\.(user|vendor|network)-(data|config)|^fds$)")
# A shorter text is no secret, and looking for it would spoil every sentence.
_SHORTEST = 4
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
    return _mask_leaves(value) if _hides(key) else mask_json(value)


def _hides(key):
    return is_secret(key) or bool(_SECRET_TEXT.search(str(key)))


def _mask_leaves(data):
    if isinstance(data, dict):
        return {key: _mask_leaves(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_mask_leaves(item) for item in data]
    return data if data in (None, "") or isinstance(data, bool) else MASK


def mask_words(words, values):
    """
    Return the daemon's words without these secret values: some errors quote what was sent, as it was
    or as Go's %q writes it.
    """
    quoted = {json.dumps(value, ensure_ascii=False)[1:-1] for value in values}
    for value in sorted(quoted.union(values), key=len, reverse=True):
        words = words.replace(value, MASK)
    return words


def values_of(body):
    """Return the set of the secret values in a request's body, which is JSON data or text of it."""
    return {value for value in _secret_values(_decoded(body)) if len(value) >= _SHORTEST}


def mask_login(url):
    """Return an endpoint without the password that somebody wrote into it."""
    return re.sub(r"//[^/@]*@", f"//{MASK}@", url)


def _decoded(body):
    if not isinstance(body, (str, bytes)):
        return body
    try:
        return json.loads(body)
    except ValueError:
        return None


def _secret_values(data):
    if isinstance(data, list):
        return [value for item in data for value in _secret_values(item)]
    if not isinstance(data, dict):
        return []
    return [value for key, item in data.items() for value in _secrets_at(key, item)]


def _secrets_at(key, value):
    if _hides(key):
        return _leaves(value)
    return _secret_values(value)


def _leaves(data):
    """Return every text in decoded JSON."""
    if isinstance(data, dict):
        data = list(data.values())
    if isinstance(data, list):
        return [value for item in data for value in _leaves(item)]
    return [data] if isinstance(data, str) else []
