"""
The YAML of the daemons' command line: an instance (``incus config show``) and a preseed (``incus admin init``).
"""

import re
from typing import Any, List, Optional, Tuple

from lxdapi.convert.template import Template, end_of, is_mapping, is_scalar, is_sequence, pairs
from lxdapi.errors import InvalidError

# Lists of a preseed in the order in which their objects can be created, and the state of each.
_LISTS = {
    "projects": "lxdapi_project.present",
    "storage_pools": "lxdapi_storage_pool.present",
    "storage_volumes": "lxdapi_storage_volume.present",
    "config": "lxdapi_server.present",
    "networks": "lxdapi_network.present",
    "profiles": "lxdapi_profile.present",
    "certificates": "lxdapi_certificate.present",
}
_OTHER = ("cluster", "cluster_groups")
# Fields that the daemon shows, but nobody can declare.
_OUTPUT_KEYS = re.compile(
    r"created_at|last_used_at|location|status|status_code|stateful|expanded_\w+|name|project|type$"
)
_OUTPUT_CONFIG = re.compile(r"(volatile|image)\.")


def is_instance(root: Any) -> bool:
    """Return whether a document is an instance of the command line."""
    keys = {key.value for key, _ in pairs(root)}
    return "architecture" in keys and {"config", "devices"} <= keys


def is_preseed(root: Any) -> bool:
    """Return whether a document is a preseed of the command line."""
    keys = {key.value for key, _ in pairs(root)}
    return bool(keys) and keys <= {*_LISTS, *_OTHER}


def convert_instance(template: Template, name: Optional[str]) -> str:
    """
    Return the SLS text of an instance.

    name
        The name of the instance, if the document does not have it. Raises :class:`InvalidError` without one.
    """
    fields = {key.value: value for key, value in pairs(template.root)}
    name = name or (template.read(fields["name"]) if "name" in fields else None)
    if not name:
        raise InvalidError("the document has no name of the instance: add name=NAME")
    lines = []
    for key, value, comments in _entries(template, template.root):
        if key.value == "config":
            lines += _argument(template, key, value, comments, _OUTPUT_CONFIG)
        elif key.value == "type" and value.value == "virtual-machine" or not _OUTPUT_KEYS.match(key.value):
            lines += _argument(template, key, value, comments)
        elif key.value == "project" and value.value != "default":
            lines += _argument(template, key, value, comments)
    template.decide(template.root, "declare a source to create the instance again, for example images:debian/12")
    return _state(name, "lxdapi_instance.present", lines)


def convert_preseed(template: Template) -> str:
    """Return the SLS text of a preseed."""
    fields = {key.value: (key, value, comments) for key, value, comments in _entries(template, template.root)}
    states, ids = [], set()
    for field, function in _LISTS.items():
        key, value, comments = fields.get(field, (None, None, []))
        found = [_convert_object(template, function, each) for each in value.value] if is_sequence(value) else []
        if field == "config" and is_mapping(value) and value.value:
            found = [("server", _argument(template, key, value, []))]
        states += [f"{comment}\n" for comment in comments if found]
        for name, lines in found:
            state_id = name if name not in ids else f"{function[len('lxdapi_') :].partition('.')[0]} {name}"
            states.append(_state(state_id, function, lines if state_id == name else [f"- name: {name}", *lines]))
            ids.add(state_id)
    for field in _OTHER:
        if field in fields and not _is_empty(fields[field][1]):
            template.decide(fields[field][0], f"{field}: see lxdapi_cluster.bootstrapped and lxdapi_cluster.joined")
    return "".join(states)


def _convert_object(template: Template, function: str, node: Any) -> Tuple[str, List[str]]:
    """Return the name and the arguments of an object of a preseed."""
    fields = {key.value: value for key, value in pairs(node)}
    volume = function == "lxdapi_storage_volume.present"
    missing = [field for field in ("name", "pool")[: 1 + volume] if field not in fields]
    if missing:
        raise InvalidError(f"line {node.start_mark.line + 1}: {missing[0]} is missing")
    name, lines = template.read(fields["name"]), []
    for key, value, comments in _entries(template, node):
        ours = key.value == "name" or volume and key.value in ("pool", "type")
        if not ours and (key.value, value.value) != ("project", "default"):
            lines += _argument(template, key, value, comments)
    return f"{template.read(fields['pool'])}/{name}" if volume else name, lines


def _state(name: str, function: str, lines: List[str]) -> str:
    body = "".join(f"    {line}\n" if line else "\n" for line in lines)
    return f"{name}:\n  {function}:{'' if lines else ' []'}\n{body}"


def _entries(template: Template, mapping: Any) -> List[Tuple[Any, Any, List[str]]]:
    """Return [(key node, value node, comment lines above)] of a block mapping."""
    found, last = [], template.line_start(mapping.start_mark.index)
    for key, value in pairs(mapping):
        above = template.text[last : template.line_start(key.start_mark.index)]
        comments = [line.strip() for line in above.splitlines() if line.strip().startswith("#")]
        found.append((key, value, comments))
        last = template.line_end(end_of(value))
    return found


def _is_empty(value: Any) -> bool:
    return value.value in ([], "", "null", "~")


def _argument(template: Template, key: Any, value: Any, comments: List[str], omitted: Any = None) -> List[str]:
    """
    Return the lines of an argument; nothing for an empty value.

    omitted
        A pattern of the keys to leave out.
    """
    kept = [
        (name, node, above)
        for name, node, above in _entries(template, value)
        if not omitted or not omitted.match(name.value)
    ]
    if _is_empty(value) or is_mapping(value) and not kept:
        return []
    if not is_mapping(value) or value.flow_style:
        return [*comments, *_lines(template, key, value, "- ", "  ")]
    tail = template.text[end_of(key) : template.line_end(key.start_mark.index)].strip()
    lines = [*comments, f"- {template.read(key)}{tail}"]
    for name, node, above in kept:
        lines += [f"    {line}" for line in [*above, *_lines(template, name, node, "", "")]]
    return lines


def _lines(template: Template, key: Any, value: Any, first: str, following: str) -> List[str]:
    """Return the lines of a key and its value, without their indentation, with the comment at their end."""
    end = end_of(value)
    if not (is_scalar(value) and value.style in ("|", ">")):
        end = template.line_end(max(end - 1, 0))
    text = template.text[key.start_mark.index : end].rstrip("\n")
    column = key.start_mark.column
    head, *rest = text.split("\n")
    return [first + head, *(following + line[column:] if line.strip() else "" for line in rest)]
