"""
Numbers that YAML 1.1 reads where a text was meant: ``52:54:00:12:34:56`` is a number to base 60, and 0403 loses its 0.
"""

import re
from collections.abc import Mapping

from lxdapi import masking
from lxdapi.errors import list_some

_IPV6 = "1:2:3:4:5:6:7:8"
# (labels, the numbers that keep their meaning as text, an example of what YAML reads as a number)
_RULES = (
    (r"(config|devices|cloud_init) (.*[ ._])?(hwaddr|mac_?address)", "", "52:54:00:12:34:56"),
    (r"devices .* (vendorid|productid)", "[1-9][0-9]{3}", "0403"),
    (r"devices .* serial", "", "0012345"),
    (r"devices .* (pci|address)", "", "0000:01:00.0"),
    (r"config (snapshots\.(schedule|expiry)(\..*)?|cluster\.join_token_expiry)", "", "12:30"),
    (r"config cloud-init\.(network-config|user-data|vendor-data)", "", "12:30"),
    (
        r"(config|devices|ports|backends|cloud_init network) (.*[ ._])?"
        r"(address|addresses|gateway[46]?|nexthop|nameservers|ranges|routes|routes\.external)",
        *("", _IPV6),
    ),
    (r"(ingress|egress) (source|destination)|cloud_init network .* (to|via)|cloud_init .* (servers|pools)", "", _IPV6),
    (r"cloud_init .* packages", "", "1.10"),
    (r"cloud_init .* owner", "", "33:33"),
    (r"cloud_init .* (content|fqdn|hostname|permissions|\w*passwd|\w*password)", "", "0644"),
)
# Keys whose values are free text: a number may be meant.
_FREE_TEXT = r"config (user|environment|raw|image)\."
# The same with fields, and with the keys of devices.
_NOTED = re.compile(
    rf"{_FREE_TEXT}|(.* )?description$|properties |entries value$"
    r"|devices .* (name|host_name|parent|path|source|raw\..*)$"
)


def explain_lost_text(label, value):
    """
    Return the error for a number where only a text is meant, "" for any other value.

    label
        The field and the key, for the message: ``devices eth0 hwaddr``.
    """
    if not _is_number(value) or re.match(_FREE_TEXT, label):
        return ""
    for labels, numbers, example in _RULES:
        if re.fullmatch(labels, label) and not re.fullmatch(numbers, str(value)):
            return (
                f"expected text for {label}, got the number {value}: "
                f"YAML reads an unquoted {example} as a number; write it in quotes"
            )
    return ""


def free_text_note(declared):
    """
    Return a note about the numbers in free text, "" without such numbers: YAML may have read another text as a number.

    declared
        ``{field: value}`` as in the SLS.
    """
    found = [f"{label} {value}" for label, value in _numbers("", declared) if _NOTED.match(label)]
    if not found:
        return ""
    return f"numbers used as text: {list_some(found)} (write a text in quotes, or YAML may read it as another number)"


def _numbers(label, value):
    """Return [(label, number)] of the numbers in a declaration, without secrets."""
    if isinstance(value, Mapping):
        return [found for key, each in value.items() for found in _numbers(f"{label} {key}".lstrip(), each)]
    if isinstance(value, (list, tuple)):
        return [found for each in value for found in _numbers(label, each)]
    if not _is_number(value):
        return []
    within, _, key = label.rpartition(" ")
    return [] if masking.is_secret(key, within.rpartition(" ")[2]) else [(label, value)]


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)
