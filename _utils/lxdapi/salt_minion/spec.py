"""
The declaration of a minion in an instance, validated before any request.
"""

import json
import re
from typing import NamedTuple

from lxdapi import validation, yaml_text
from lxdapi.errors import InvalidError


class MinionSpec(NamedTuple):
    """
    The declaration of a minion; :meth:`parse` validates it.

    instance, minion_id
        The instance, and the id of its minion.
    config
        The content of its configuration file.
    package
        The name of a package, or the path of a file of this machine.
    seconds
        The time limit for the installation, and for the first answer.
    force
        True: replace other keys of the minion.
    """

    instance: str
    minion_id: str
    config: bytes
    package: str
    seconds: float
    force: bool

    @classmethod
    def parse(cls, instance, minion_id, minion_config, package, timeout, force):
        """Return the spec; raises :class:`InvalidError`."""
        validation.check("instance", "instance", instance)
        minion_id = parse_id(instance if minion_id is None else minion_id)
        config = _format_config(minion_config, minion_id)
        if not validation.parse_seconds(timeout):
            raise InvalidError.of_value("timeout", "a number of seconds above 0", timeout)
        if not isinstance(package, str) or not package or package.startswith("-"):
            raise InvalidError.of_value("package", "the name of a package, or the path of a file", package)
        return cls(instance, minion_id, config, package, timeout, validation.truth("force", force))


def _format_config(config, minion_id):
    """Return settings of the minion as YAML."""
    expected = "a mapping of settings of the minion"
    settings = {**validation.mapping("minion_config", config, expected), "id": minion_id}
    try:
        json.dumps(settings)
        return yaml_text.dump(settings).encode()
    except (TypeError, ValueError, RecursionError):
        raise InvalidError.of_value("minion_config", expected, config, secret=True) from None


def parse_id(minion_id):
    """Return a minion id; Salt would take other characters for a pattern or a path."""
    if not isinstance(minion_id, str) or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", minion_id):
        raise InvalidError.of_value("minion_id", "letters, digits, dots, hyphens and underscores", minion_id)
    return minion_id
