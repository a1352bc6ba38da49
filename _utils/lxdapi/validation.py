"""
Validation of names, fingerprints, paths and values, and their quoting in a URL.

The daemons check little: deleting a snapshot called ``..`` deletes those of other instances, and ``%`` in a
fingerprint is a wildcard (LXD 5.0.2, Incus 6.0.4). So lxdapi checks every part before it sends a request.
"""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from lxdapi.errors import InvalidError
from lxdapi.masking import is_cloud_init
from lxdapi.yaml_numbers import explain_lost_text

# How people spell true and false.
TRUE = {"true", "1", "yes", "on"}
FALSE = {"false", "0", "no", "off"}
FINGERPRINT = r"[0-9a-f]{64}"
_INSTANCE = r"(?!\d+$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Three years. The daemons stop at once if the seconds overflow (10**12), and JSON has no infinity.
_LONGEST = 10**8
_UNIT_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_CONTROL = r"[\x00-\x1f\x7f\ud800-\udfff]"
_SURROGATE = r"[\ud800-\udfff]"
# The daemons decode names below an instance twice (snapshots, logs); names of backups are treated alike, to be safe.
_DECODED_TWICE = r"(^|/)(instances|containers|virtual-machines|backups)/"

# The largest number of a user or group.
_LARGEST_ID = 2**32 - 2

# rule: (pattern or None, characters refused, the rule in words)
RULES = {
    "instance": (_INSTANCE, "", "1 to 63 letters, digits or '-', no '-' at either end, not only digits"),
    "fingerprint": (FINGERPRINT, "", "64 lower-case hexadecimal digits: the sha256 in full"),
    "plain": (None, "/", "no '/', not '.' or '..', no control characters"),
    "token": (None, "/ \t", "no '/', no white space, not '.' or '..', no control characters"),
    # the daemons decode %25 twice: %2e%2e would reach the parent folder (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2)
    "snapshot": (None, "/% \t", "no '/' or '%', no white space, not '.' or '..', no control characters"),
    "any": (None, "", "not '.' or '..', no control characters"),
    "address": (r"[0-9A-Fa-f:.]+", "", "an IPv4 or IPv6 address"),
}

# Existing names under these rules may contain a "/": zones, records, aliases.
WITH_SLASH = ("plain", "any")


def check(rule, what, name, existing=False):
    """
    Return the name if it follows the rule.

    rule
        A key of :data:`RULES`.
    what
        The thing that has the name, for the message: ``instance``, ``profile``, ...
    existing
        True: the name of an existing object. Another client may have created it under a name that lxdapi refuses for a
        new one; a rule without a pattern then accepts every name that a path can address.

    Raises :class:`InvalidError` with the rule in words.
    """
    pattern, forbidden, rule_text = RULES[rule]
    if not isinstance(name, str):
        raise InvalidError.of_value(f"{what} name", f"text ({rule_text})", name)
    never = _CONTROL
    if existing and pattern is None:
        forbidden, never = "" if rule in WITH_SLASH else "/", _SURROGATE
    is_plain = name.isascii() and name.isprintable()
    invalid = not name or name in (".", "..") or not is_plain and re.search(never, name)
    if invalid or any(char in name for char in forbidden) or (pattern and not re.fullmatch(pattern, name)):
        raise InvalidError(f"{what} name {name!r} is not valid: {rule_text}")
    return _normalize_address(what, name, rule_text) if rule == "address" else name


def _normalize_address(what, name, rule_text):
    """Return an address as the daemons list it."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        raise InvalidError(f"{what} name {name!r} is not valid: {rule_text}") from None


def fingerprint(value, what="fingerprint"):
    """Return the image fingerprint in lower case; raises :class:`InvalidError` for a shortened one."""
    text = value.lower() if isinstance(value, str) else value
    if not is_fingerprint(text):
        raise InvalidError.of_value(what, "a whole fingerprint (64 hexadecimal digits, see lxdapi.list image)", value)
    return text


def is_fingerprint(value):
    """Return True if the text is a whole sha256 in lower-case hexadecimal digits."""
    return isinstance(value, str) and bool(re.fullmatch(FINGERPRINT, value))


def is_short_fingerprint(value):
    """Return True if the text looks like the beginning of a fingerprint."""
    return isinstance(value, str) and bool(re.fullmatch("[0-9a-fA-F]{12,63}", value))


def parse_seconds(value):
    """Return a time limit in seconds, or None; raises :class:`InvalidError` for anything that is not a number."""
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _LONGEST):
        return value
    raise InvalidError.of_value("timeout", f"a number of seconds from 0 to {_LONGEST}", value)


def duration(text, units="mhdw"):
    """Return the seconds of a time such as ``30m``, ``12h``, ``7d`` or ``2w``; None for anything else."""
    match = re.fullmatch(rf"([0-9]{{1,6}})([{units}])", text) if isinstance(text, str) else None
    return int(match[1]) * _UNIT_SECONDS[match[2]] if match else None


def absolute_path(what, value):
    """Return an absolute path; raises :class:`InvalidError` for anything else."""
    if isinstance(value, str) and value.startswith("/") and "\0" not in value:
        return value
    raise InvalidError.of_value(what, "an absolute path", value)


def parse_patterns(what, value):
    """Return a tuple of shell-style patterns of keys; raises :class:`InvalidError` for anything but a list of text."""
    value = () if value is None else value
    if not isinstance(value, (list, tuple)) or not all(isinstance(pattern, str) and pattern for pattern in value):
        raise InvalidError.of_value(what, "a list of keys or patterns (user.db_*)", value)
    return tuple(value)


def natural_key(name):
    """Return a key that sorts names by their numbers: web2 comes before web10."""
    parts = re.split(r"([0-9]+)", name)
    digits = [part.lstrip("0") for part in parts[1::2]]
    return [
        *((part, (len(number), number)) for part, number in zip(parts, digits)),
        (parts[-1], (0, "")),
        (name, (0, "")),
    ]


def path(template, **parts):
    """Return the template with every part quoted whole: ``path("profiles/{name}", name="a b")``."""
    return template.format(**{key: quote(value, safe="") for key, value in parts.items()})


def raw_path(text):
    """
    Return (path, query parameters) of a path that a person typed, checked and quoted.

    Raises :class:`InvalidError` for a path that requests or the daemon would take for another object.
    """
    if not isinstance(text, str):
        raise InvalidError.of_value("the REST path", "text", text)
    if re.search(_CONTROL, text) or "#" in text or "\\" in text:
        raise InvalidError(f"REST path {text!r} contains a control character, '#' or '\\'; quote it (%23)")
    parts = urlsplit("//host/" + text.lstrip("/"))
    decoded = unquote(parts.path)
    if re.search(_DECODED_TWICE, decoded):
        decoded = unquote(decoded)
    if {".", ".."} & set(decoded.split("/")):
        raise InvalidError(f"REST path {text!r} contains '.' or '..': use the complete path")
    whole = re.sub("%(?![0-9A-Fa-f]{2})", "%25", parts.path.lstrip("/"))
    return quote(whole, safe="/%:@!$&'()*+,;=~-._"), dict(parse_qsl(parts.query, keep_blank_values=True))


def config_value(key, value):
    """
    Return a config value as the daemon's text, or None if the key is to be removed.

    Booleans become ``true`` and ``false``, whole numbers digits. Raises :class:`InvalidError` for
    lists, mappings, floats, numbers where only a text is meant, and text that the daemon would cut or alter (NUL,
    unpaired surrogates).
    """
    require_text(key, value)
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() < 1000:  # Python does not format longer ones
        return str(value)
    if not isinstance(value, str):
        raise InvalidError.of_value(key, _expected_text(key, value), value, secret=True)
    if re.search(r"[\x00\ud800-\udfff]", value):
        raise InvalidError(
            f"{key}: invalid text: it contains a NUL or an unpaired surrogate, which the daemon would alter"
        )
    return value


def _expected_text(key, value):
    """Return what to declare instead of a value that is not text."""
    if isinstance(value, (list, tuple)):
        return "text (with commas between several values)"
    if isinstance(value, Mapping) and is_cloud_init(key.rpartition(" ")[2]):
        return "text (the parameter cloud_init of lxdapi_instance.present takes a mapping)"
    return "text (quote the value)"


def require_text(label, value):
    """
    Raise :class:`InvalidError` for a number where only a text is meant.

    label
        See :func:`lxdapi.yaml_numbers.explain_lost_text`.
    """
    error = explain_lost_text(label, value)
    if error:
        raise InvalidError(error)


def truth(what, value):
    """Return True or False as declared in any spelling; raises :class:`InvalidError` for anything else."""
    text = str(value).lower()
    if text not in TRUE | FALSE:
        raise InvalidError.of_value(what, "true or false", value)
    return text in TRUE


def flag(what, value):
    """Return the value of an option as :func:`truth` does, False for None and ""."""
    return truth(what, value or False)


def mapping(what, value, expected="a mapping"):
    """
    Return a mapping as a dict, an empty one for None; a list of mappings, as many an SLS has it, is merged.

    Raises :class:`InvalidError` for anything else.
    """
    value = {} if value is None else value
    if isinstance(value, (list, tuple)) and all(isinstance(each, Mapping) for each in value):
        return {key: inner for each in value for key, inner in each.items()}
    if not isinstance(value, Mapping):
        raise InvalidError.of_value(what, expected, value, secret=True)
    return dict(value)


def require_known(label, names, known, noun="key"):
    """
    Raise :class:`InvalidError` for the first unknown names.

    label
        The parameter that they are in.
    names
        The declared names, such as the keys of a mapping.
    noun
        The noun for them in the error.
    """
    unknown = [str(name) for name in names if name not in known]
    if unknown:
        raise InvalidError(f"{label}: unknown {noun} {', '.join(unknown)}; choose from: {', '.join(known)}")


def user_or_group(what, value):
    """Return the name of a user or group as text, its number (also a quoted one) as a number, or None for None."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_ID
    text = isinstance(value, str) and value and not set(value) & set(":/\n\0")
    if value is None or number or text:
        return value
    raise InvalidError.of_value(what, "a name or a number", value)
