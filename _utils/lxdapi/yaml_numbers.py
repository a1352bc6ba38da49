"""
Numbers that YAML 1.1 reads where a text was meant: ``52:54:00:12:34:56`` is a number to base 60, and 0403 loses its 0.
"""

import re

# (labels, the numbers that keep their meaning as text, an example of what YAML reads as a number)
_RULES = (
    (r"(config|devices|cloud_init) (.*[ ._])?(hwaddr|mac_?address)", "", "52:54:00:12:34:56"),
    (r"devices .* (vendorid|productid)", "[1-9][0-9]{3}", "0403"),
    (r"devices .* pci", "", "0000:01:00"),
    (r"config (snapshots\.(schedule|expiry)(\..*)?|cluster\.join_token_expiry)", "", "12:30"),
    (
        r"(config|devices|ports|backends|cloud_init network) (.*[ ._])?(address|addresses|gateway[46]?|nexthop)",
        *("", "1:2:3:4:5:6:7:8"),
    ),
    (r"cloud_init .* permissions", "", "0644"),
)
# Keys whose values are free text: a number may be meant.
_FREE_TEXT = r"config (user|environment|raw|image)\."


def explain_lost_text(label, value):
    """
    Return the error for a number where only a text is meant, "" for any other value.

    label
        The field and the key, for the message: ``devices eth0 hwaddr``.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or re.match(_FREE_TEXT, label):
        return ""
    for labels, numbers, example in _RULES:
        if re.fullmatch(labels, label) and not re.fullmatch(numbers, str(value)):
            return (
                f"expected text for {label}, got the number {value}: "
                f"YAML reads an unquoted {example} as a number; write it in quotes"
            )
    return ""
