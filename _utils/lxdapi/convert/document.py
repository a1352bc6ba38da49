"""
The conversion of a file, and its report as comments.
"""

from typing import Any, Dict, Optional

from lxdapi import yaml_text
from lxdapi.convert import daemon_yaml, states
from lxdapi.convert.template import Template
from lxdapi.errors import InvalidError


def convert(text: str, name: Optional[str] = None) -> str:
    """
    Return SLS text for lxdapi: the given text with the new states, under a report in comments.

    text
        An SLS file with Salt's removed lxd states or with those of saltext-incus, an instance as ``incus config show``
        shows it, or a preseed of ``incus admin init``. Comments and Jinja stay.
    name
        The name of the instance, if the text is an instance without its name.

    Raises :class:`InvalidError` for another text.
    """
    template, remotes = Template(text), {}  # type: ignore[var-annotated]
    if daemon_yaml.is_instance(template.root):
        converted = daemon_yaml.convert_instance(template, name)
    elif daemon_yaml.is_preseed(template.root):
        converted = daemon_yaml.convert_preseed(template)
    else:
        states.convert_states(template, remotes)
        converted = template.result()
        if converted == text and not template.decisions:
            raise InvalidError(
                "expected an SLS file with the states lxd, lxd_container, lxd_image, lxd_profile or incus, the YAML "
                "of an instance, or a preseed"
            )
    return _report(template, remotes) + converted


def _report(template: Template, remotes: Dict[str, Dict[str, Any]]) -> str:
    """Return the report as comment lines."""
    lines = [f"line {line}: {text}" for line, text in sorted(template.decisions)]
    if lines:
        lines = ["To decide (the lines are those of the converted file):", *lines]
    if remotes:
        lines.append("To add to the configuration of the minion:")
        lines += yaml_text.dump({"lxdapi": {"remotes": remotes}}).splitlines()
    return "".join(f"# {line}\n" for line in lines)
