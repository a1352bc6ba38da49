"""
Masking of secret values in logs, errors and ``changes`` dictionaries.
"""

import difflib
import json
import re
from contextlib import contextmanager
from contextvars import ContextVar
from fnmatch import translate
from functools import lru_cache

import yaml

MASK = "(hidden)"

# Whole words in the name of a key: "core.trust_password", "trust_token", "secret", "user.api-key", "peers.ns1.key" of
# a network zone, "network.ovn.client_key" and "instances.tpm.platform_key" of a server.
_KEY_WORDS = (
    r"(password|passwd|passphrase|(?<![a-z])pass(?![a-z])|secret|token|hmac|acme\.provider\.environment|"
    r"(?:private|api|client|platform)[._-]?key|peers\.[\w-]+\.key|credential)"
)
# Only the patterns that every state needs are compiled here; the others on their first use, by re itself.
_SECRET_KEY = re.compile(_KEY_WORDS, re.I)
# Settings about secrets that are not secret themselves.
_HARMLESS_KEY = r"(_expiry|https_allowed_credentials)$"
# Free text into which people put passwords and keys, and the keys of an operation's websockets. They are masked where
# whole requests are printed.
_FREE_TEXT = r"(?i)(cloud-init\.|user\.(user|vendor|network)-(data|config)|^(fds|control|criu|fs)$)"
# The YAML documents that cloud-init reads; layout and key order have no meaning in them.
_CLOUD_INIT = re.compile(r"(cloud-init\.|user\.)(user-data|vendor-data|network-config|meta-data)$")
# A line "password: x", "- DB_PASSWORD=x", "mysql --password=x" or "secret: |" in such a text, and one of a private key.
_SECRET_LINE = rf"(?i)(.*?{_KEY_WORDS}[\w.-]{{0,99}}[\"']?\s{{0,9}}[:=]\s*)(.*)"
_HARMLESS = ("", "true", "false", "yes", "no")
_PEM = r"-----(BEGIN|END) [A-Z ]*PRIVATE KEY( BLOCK)?-----"
_INDENT = r"( *)((?:- +)*)"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# A shorter text is not a secret, and masking it would garble every sentence.
_SHORTEST = 4
_QUERY = r"(?i)([?&][^=&\s]*(?:secret|password|token)[^=&\s]*=)[^&\s]*"
# The patterns of keys that the user marked, in the settings and in the current state. They are context variables, not
# parameters: a function that forgot to pass them on would reveal a secret.
_SETTING, _MARKED = ContextVar("setting", default=()), ContextVar("marked", default=())


def set_patterns(patterns):
    """Treat the values of matching keys as secret in this thread, until the patterns are set again."""
    _SETTING.set(tuple(patterns))


@contextmanager
def marked_keys(patterns):
    """Treat the values of matching keys as secret within the block, in addition to the others."""
    before = _MARKED.set((*_MARKED.get(), *patterns))
    try:
        yield
    finally:
        _MARKED.reset(before)


def is_marked(key, within=""):
    """Return True if a pattern matches the key or ``WITHIN.KEY``; ``within`` is its parent key or the object's name."""
    patterns = _SETTING.get() + _MARKED.get()
    if not patterns:
        return False
    pattern = _compile(patterns)
    return bool(pattern.match(str(key)) or pattern.match(f"{within}.{key}"))


@lru_cache(maxsize=64)
def _compile(patterns):
    """Return one regular expression for all of the patterns, because each key of each reply is compared."""
    return re.compile("|".join(translate(pattern) for pattern in patterns))


def is_secret(key, within=""):
    """Return True if the value of this config key, or of this key of the device ``within``, is secret."""
    if is_marked(key, within):
        return True
    return bool(_SECRET_KEY.search(str(key))) and not re.search(_HARMLESS_KEY, str(key))


def is_cloud_init(key):
    """Return True if the value of this config key is a document for cloud-init."""
    return bool(_CLOUD_INIT.match(key))


def is_private_key(value):
    """Return True for a text with a private key (PEM) in it, whatever the name of its key."""
    return isinstance(value, str) and "PRIVATE KEY" in value and bool(re.search(_PEM, value))


def mask_value(key, value, within=""):
    """
    Return the value, or a mask for a private key and for a secret key with a value. In a URL only the password is
    masked, in a document for cloud-init only its secrets.

    within
        The device that has the key.
    """
    if is_secret(key, within) and value not in (None, ""):
        return MASK
    if value and is_cloud_init(key):
        return mask_document(value)
    if is_private_key(value):
        return MASK
    return mask_login(value) if isinstance(value, str) and "://" in value else value


def holds_secret(key, value, within=""):
    """Return True if masking would change the value."""
    if value and is_cloud_init(key) and not is_secret(key, within):
        return bool(_masks(value))
    return mask_value(key, value, within) != value


def format_change(key, old, new):
    """Return the entry of a key in ``changes``: a diff for documents for cloud-init, else both values, masked."""
    if is_cloud_init(key) and not is_secret(key):
        return document_change(old, new)
    return {"old": mask_value(key, old), "new": mask_value(key, new)}


def document_change(old, new):
    """
    Return the change of a document for cloud-init for ``changes``: a unified diff if both versions exist.

    The values of secret keys, everything below such a key, and private keys are masked.
    """
    if not old or not new:
        return {"old": old and mask_document(old), "new": new and mask_document(new)}
    masks = {**_masks(old), **_masks(new)}
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), "old", "new", lineterm="", n=2))
    return {"diff": "\n".join(line[:1] + masks.get(line[1:], line[1:]) for line in lines) or "(line ends)"}


def mask_document(text):
    """Return a document for cloud-init without its secret values."""
    masks = _masks(text)
    return "\n".join(masks.get(line, line) for line in text.splitlines())


def _masks(text):
    """Return {line: masked line} of the lines that contain a secret."""
    lines = text.splitlines()
    masks = _masks_of_lines(lines)
    for number, column in _secret_places(text):
        line = lines[number]
        if line.strip():
            masked = line[: max(column, _indent(line))] + MASK
            masks[line] = min(masked, masks.get(line, masked), key=len)
    return masks


def _indent(line):
    return len(line) - len(line.lstrip(" "))


def _masks_of_lines(lines):
    """Return the masks of apparent secrets in any text: scripts, settings, YAML and text embedded in it."""
    masks, key, key_block = {}, None, False
    for line in lines:
        pem = re.findall(_PEM, line)
        key = key if key and _is_below(line, *key) else None
        match = None if key or key_block or pem else re.match(_SECRET_LINE, line)
        if (key or key_block or pem) and line.strip():
            masks[line] = " " * _indent(line) + MASK
        elif match:
            value = match[3].strip()
            masks.update({line: match[1] + MASK} if value.lower() not in _HARMLESS else {})
            key = _column(line), not value
        key_block = pem[-1][0] == "BEGIN" if pem else key_block
    return masks


def _is_below(line, column, may_list):
    """Return True for a line below a key in this column; the items of its list may begin in the same column."""
    item = may_list and _indent(line) == column and line.lstrip(" ")[:2] in ("-", "- ")
    return not line.strip() or _indent(line) > column or item


def _column(line):
    """Return the column where the content of a line begins, after the dashes of lists; for braces, after the indent."""
    spaces, dashes = re.match(_INDENT, line).groups()  # type: ignore[union-attr]  # it matches every line
    rest = line[len(spaces) + len(dashes) :]
    return len(spaces) if rest[:1] in ("{", "[") else len(spaces) + len(dashes)


def _secret_places(text):
    """Return (line number, column) where the value of a secret key begins on each line of a YAML text."""
    places, seen = [], set()
    try:
        for document in yaml.compose_all(text, Loader=_LOADER):
            places += _secret_places_in(document, seen)
    except (yaml.YAMLError, RecursionError, ValueError):
        pass  # not YAML, or only partly
    return places


def _secret_places_in(node, seen, secret=False):
    """Return the places of a node's secret texts; ``seen`` ends the recursion where an anchor contains itself."""
    if node is None or (id(node), secret) in seen:
        return []
    seen.add((id(node), secret))
    if isinstance(node, yaml.SequenceNode):
        return [place for each in node.value for place in _secret_places_in(each, seen, secret)]
    if isinstance(node, yaml.MappingNode):
        return [place for pair in node.value for place in _places_of_pair(pair, seen, secret)]
    return _places_of_text(node) if secret and node.value.lower() not in _HARMLESS else []


def _places_of_pair(pair, seen, secret):
    below = secret or (isinstance(pair[0], yaml.ScalarNode) and is_secret(pair[0].value))
    return _secret_places_in(pair[0], seen, secret) + _secret_places_in(pair[1], seen, below)


def _places_of_text(node):
    start, end = node.start_mark, node.end_mark
    last = end.line if end.column else end.line - 1
    return [(start.line, start.column), *((number, 0) for number in range(start.line + 1, last + 1))]


def mask_url(text):
    """Return a URL, or text with URLs in it, with the secrets of queries masked."""
    return re.sub(_QUERY, rf"\1{MASK}", text)


def mask_json(data):
    """Return a copy of decoded JSON with secret values masked, and values that may contain a secret."""
    return _walk(data, _may_be_secret, lambda _, value: MASK if is_private_key(value) else value)


def mask_object(data):
    """Return a copy of an object (decoded JSON) for display: see :func:`mask_value`."""
    return _walk(data, is_secret, mask_value)


def mask_marked(data):
    """Return a copy of decoded JSON where only the values of marked keys are masked."""
    return _walk(data, is_marked, lambda _, value: value)


def _walk(data, hides, leaf, within=""):
    if isinstance(data, dict):
        return {
            key: _mask_leaves(value) if hides(key, within) else _walk(value, hides, leaf, key)
            for key, value in data.items()
        }
    if isinstance(data, list):
        return [_walk(item, hides, leaf, within) for item in data]
    return leaf(within, data) if isinstance(data, str) else data


def _may_be_secret(key, within=""):
    return is_secret(key, within) or bool(re.search(_FREE_TEXT, str(key)))


def _mask_leaves(data):
    if isinstance(data, dict):
        return {key: _mask_leaves(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_mask_leaves(item) for item in data]
    return data if data in (None, "") or isinstance(data, bool) else MASK


def mask_text(text, values):
    """
    Return the daemon's words without these secret values. Some errors quote the request, literally or in the form of
    Go's %q.
    """
    values = frozenset(values)  # a copy: other threads add values meanwhile
    quoted = {json.dumps(value, ensure_ascii=False)[1:-1] for value in values}
    for value in sorted(quoted.union(values), key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


def values_of(body):
    """Return the set of the secret values in the body of a request: JSON, decoded or as text."""
    data = _decode_json(body)
    try:
        private_keys = filter(is_private_key, _leaves(data))
        return _long_enough([*_values(data, _may_be_secret), *private_keys]) | marked_values(data)
    except RecursionError:
        return set()  # data that contains itself cannot be sent either


def marked_values(data):
    """
    Return the set of the values in decoded JSON that the user marked as secret, and of their lines: the daemons quote
    the line of raw.lxc that they refuse.
    """
    values = _values(data, is_marked) if _SETTING.get() or _MARKED.get() else ()
    return _long_enough({part for value in values for part in (value, *map(str.strip, value.splitlines()))})


def _long_enough(values):
    return {value for value in values if len(value) >= _SHORTEST and value.lower() not in _HARMLESS}


def mask_login(url):
    """Return an endpoint without the password in it."""
    return re.sub(r"//[^/@]*@", f"//{MASK}@", url)


def _decode_json(body):
    if not isinstance(body, (str, bytes)):
        return body
    try:
        return json.loads(body)
    except ValueError:
        return None


def _values(data, hides, within=""):
    if isinstance(data, list):
        return [value for item in data for value in _values(item, hides, within)]
    if not isinstance(data, dict):
        return []
    groups = (_leaves(inner) if hides(key, within) else _values(inner, hides, key) for key, inner in data.items())
    return [value for values in groups for value in values]


def _leaves(data):
    """Return every text in decoded JSON."""
    if isinstance(data, dict):
        data = list(data.values())
    if isinstance(data, list):
        return [value for item in data for value in _leaves(item)]
    return [data] if isinstance(data, str) else []
