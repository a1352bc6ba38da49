"""
Equality of values by their meaning: two spellings of one value are equal.

The daemons store text verbatim (LXD 5.0.2 and Incus 6.0.4 keep ``True``, ``yes`` and ``2GB``), so only the spelling
differs.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timezone
from typing import Any, Iterable

import yaml

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.masking import is_cloud_init

# The time that means "never". LXD 5.0.2 shows 1970-01-01 for an image without an expiry, Incus 6.0.4 0001-01-01. Only
# this time clears the expiry of an image: both daemons ignore a zero time and null there.
NEVER = "1970-01-01T00:00:00Z"
_UNITS = {"": 1, "B": 1, "bit": 1, **{f"{p}B": 1000**n for n, p in enumerate("kMGTPE", 1)}}
_UNITS.update({f"{p}iB": 1024**n for n, p in enumerate("KMGTPE", 1)})
_UNITS.update({f"{p}bit": 1000**n for n, p in enumerate("kMGTPE", 1)})
_UNITS.update({f"{p}ibit": 1024**n for n, p in enumerate("KMGTPE", 1)})
_SIZE = r"([0-9]{1,40})([A-Za-z]*)"
# Keys of free text and names, in which "yes" and "true" are different values.
_TEXT = (
    r"(user|environment|raw|image|volatile)\.|cloud-init\.ssh-keys\.|"
    r"(name|path|source|parent|network|pool|host_name|os|release|description)$"
)
# MAC addresses: the daemons store them as they were sent, and compare them without regard to case.
_MAC = r"(.*\.)?hwaddr$"
# Address keys where "auto" has the daemon choose: it stores what it chose, and chooses again each time
# that it gets "auto" (LXD 5.0.2, Incus 6.0.4).
_CHOSEN = r"(ipv[46]\.address|fan\.underlay_subnet)$"
# Scripts, and templates, where even the comments count.
_NO_YAML = r"#!|##\s*template:"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def equal(key: str, old: str | None, new: str | None) -> bool:
    """Return True if two config values mean the same; absent and "" are the same."""
    old, new = old or "", new or ""
    if old == new:
        return True
    if is_cloud_init(key):
        return _same_document(old, new)
    if re.match(_MAC, key):
        return old.lower() == new.lower()
    if re.match(_TEXT, key):
        return False
    for spellings in (validation.TRUE, validation.FALSE):
        if old.lower() in spellings and new.lower() in spellings:
            return True
    size = _bytes(old)
    if size is not None and size == _bytes(new):
        return True
    networks = _interfaces(old)
    return networks is not None and networks == _interfaces(new)


def satisfies(key: str, old: Any, new: str | None) -> bool:
    """
    Return True if the actual value fulfils the declared one.

    More than :func:`equal`: ``auto`` is met by whichever address was chosen, and a secret that the daemon
    shows as a mere ``true`` (core.trust_password, LXD 5.0.2) is met, for it cannot be compared.
    """
    if old is True:
        return new is not None
    if new == "auto" and re.search(_CHOSEN, key):
        return (old or "none") != "none"
    return equal(key, old, new)


def _same_document(old, new):
    """Return True if both are YAML of the same content below the same head (``#cloud-config``)."""
    if _head(old) != _head(new) or any(re.match(_NO_YAML, line) for line in _head(old)):
        return False
    try:
        one, other = (_document(text) for text in (old, new))
        return all(isinstance(each, yaml.CollectionNode) for each in (one, other)) and _content(one) == _content(other)
    except (yaml.YAMLError, RecursionError, UnicodeError):
        return False


def _head(text):
    """Return the comments that a document begins with: cloud-init detects its type by them."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.rstrip())
    return lines


def _document(text):
    # comparing aliases of aliases would take unlimited time
    if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=_LOADER)):
        raise yaml.YAMLError("aliases are not compared")
    return yaml.compose(text, Loader=_LOADER)


def _content(node):
    """
    Return the meaning of a YAML node for comparisons: without spelling and the order of keys.

    It does not construct Python values: 2030-99-99 is an invalid date, a list cannot be a key, and True equals 1.
    """
    if isinstance(node, yaml.MappingNode):
        return node.tag, frozenset({_content(key): _content(value) for key, value in node.value}.items())
    if isinstance(node, yaml.SequenceNode):
        return node.tag, tuple(_content(each) for each in node.value)
    if node.tag.endswith(":bool"):
        return node.tag, node.value.lower() in validation.TRUE
    return node.tag, None if node.tag.endswith(":null") else node.value


def _bytes(text):
    match = re.fullmatch(_SIZE, text)
    if not match or match[2] not in _UNITS:
        return None
    # bits and bytes are different units
    return int(match[1]) * _UNITS[match[2]], "bit" in match[2]


def _interfaces(text):
    """Return the addresses (with their networks) of a comma-separated list in order, None for any other text."""
    try:
        return [ipaddress.ip_interface(part.strip()) for part in text.split(",")]
    except ValueError:
        return None


def split_ordered(text: str | None) -> list[str]:
    """Return a comma-separated list as a list of texts, addresses and networks in one spelling."""
    return [_normalize(part.strip()) for part in (text or "").split(",") if part.strip()]


def split_set(text: str | None) -> frozenset[str]:
    """Return a comma-separated list without its order, as a set of texts."""
    return frozenset(split_ordered(text))


def _normalize(text):
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text


def normalize_address(text: str) -> str:
    """Return an address in the spelling of the daemons, any other text unchanged."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def addresses(field: str, texts: Iterable[str]) -> list[tuple[str, tuple[Any, ...]]]:
    """
    Return (text, meaning) of addresses, networks and ranges (``192.0.2.1-192.0.2.9``).

    Raises :class:`InvalidError` for anything else.
    """
    try:
        return [(text, tuple(_address(part) for part in text.split("-"))) for text in texts]
    except ValueError as exc:
        raise InvalidError(f"{field}: {exc}") from exc


def _address(text):
    network = ipaddress.ip_network(text.strip(), strict=False)
    return network.version, int(network.network_address), network.prefixlen


def parse_time(text: Any) -> datetime | str | None:
    """Return the time, :data:`NEVER` for both of the daemons' zero times, None if it is unreadable."""
    try:
        time = datetime.fromisoformat(re.sub(r"\.\d+", "", str(text)).replace("Z", "+00:00"))
        time = (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
    return NEVER if time.year in (1, 1970) else time
