"""
What a fleet's declaration says: a definition for each name, with the shared defaults in it, in the order of the work.
"""

import math
import re
from collections.abc import Mapping

from lxdapi import validation as names
from lxdapi.errors import InvalidError
from lxdapi.fleet import name_ranges as fleet_names
from lxdapi.instances import plan as instances
from lxdapi.instances import rebuild as base_images
from lxdapi.instances import sources
from lxdapi.instances import wait_for as waiting
from lxdapi.model import diff

KIND = instances.KIND
# What lxdapi_instance.present takes as fields, and what it does with them.
FIELDS = ("type", "description", "config", "devices", "profiles", "architecture", "ephemeral")
HOW = (
    *("source", "running", "restart_on_change", "timeout", "renamed_from", "target", "move", "wait_for"),
    *("snapshot_before", "image_changed", "replace_partial"),
)
WORDS = (*FIELDS, *HOW, "cloud_init", "devices_override", "absent", "force")
# Where null says something of its own: it shall not be there.
_NULLS = ("config", "devices", "cloud_init", "devices_override")
STOPPED, REPORT = "stopped", "report"


def definitions(given, defaults=None):
    """
    Return ``{name: definition}`` in the order of the work: what another is made of comes before it.

    given
        ``{name or range: definition}``; None is a definition without a word.
    defaults
        A definition that each has: mappings are merged, everything else is replaced, null takes it away.

    Raises :class:`InvalidError` for an unknown word and a value that cannot be right, naming the instance.
    """
    defaults = _words("defaults", defaults)
    if not isinstance(given, Mapping):
        raise InvalidError(f"instances: a mapping of names to definitions is needed, not {type(given).__name__}")
    found = fleet_names.expanded({entry: _words(entry, each) for entry, each in given.items()})
    found = {name: _whole(merged(defaults, each)) for name, each in found.items()}
    for name, each in found.items():
        _check(name, each)
    return {name: found[name] for name in _in_order(found)}


def _words(what, given):
    given = names.mapping(what, given)
    unknown = [str(word) for word in given if word not in WORDS]
    if unknown:
        raise InvalidError(f"{what}: unknown {', '.join(unknown)}; there are: {', '.join(sorted(WORDS))}")
    return given


def merged(old, new):
    """Return a mapping with another one over it, those in it likewise; everything else is replaced."""
    both = {key: old[key] for key in old if key in new and isinstance(old[key], Mapping)}
    inner = {key: merged(each, new[key]) for key, each in both.items() if isinstance(new[key], Mapping)}
    return {**old, **new, **inner}


def _whole(given):
    """Return the definition without what null took away."""
    return {word: each if word in _NULLS else _without_null(each) for word, each in given.items() if each is not None}


def _without_null(given):
    if not isinstance(given, Mapping):
        return given
    return {key: _without_null(each) for key, each in given.items() if each is not None}


def _check(name, given):
    """Raise for what can be refused without asking the daemon."""
    try:
        names.truth("absent", given.get("absent", False))
        names.truth("force", given.get("force", False))
        names.truth("replace_partial", given.get("replace_partial", False))
        fields = {word: given.get(word) for word in FIELDS}
        diff.normal(KIND, {**fields, "type": instances.type_of(given.get("type"))})
        instances.goal_of(given.get("running"))
        names.seconds(given.get("timeout"))
        waiting.conditions(given.get("wait_for"))
        base_images.choose(given.get("image_changed", "ignore"))
        sources.source_of(given.get("source"))
    except InvalidError as exc:
        raise InvalidError(f"{name}: {exc}") from exc


def is_absent(given):
    """Return True if the definition says that there shall be none."""
    return names.truth("absent", given.get("absent", False))


def origin(given):
    """Return the name of the instance that one is copied from, None for any other."""
    source = given.get("source")
    if not isinstance(source, Mapping) or source.get("type") != "copy" or "project" in source:
        return None
    return source["source"].partition("/")[0]


def needed(found, name):
    """Return the name of the instance of the fleet that has to be there before this one; None for none."""
    given = found[name]
    other = None if is_absent(given) else origin(given)
    return other if other in found and other != name and not is_absent(found[other]) else None


def _in_order(found):
    """Return the names, each behind the one that it is made of; raises for a circle."""
    done = {}
    for name in found:
        chain = [name]
        while needed(found, chain[-1]) is not None and chain[-1] not in done:
            chain.append(needed(found, chain[-1]))
            if chain[-1] in chain[:-1]:
                raise InvalidError(f"{' is copied from '.join(chain)}: none of them can be the first")
        done.update(dict.fromkeys(reversed(chain)))
    return list(done)


def portion(what, given, total, least):
    """
    Return how many a number or a percentage is of a total; None for None.

    least
        The smallest that makes sense: a percentage of less is this one.
    """
    if given is None:
        return None
    percent = re.fullmatch(r"(\d{1,3})%", given) if isinstance(given, str) else None
    if percent and int(percent[1]) <= 100:
        return max(least, math.floor(total * int(percent[1]) / 100))
    if isinstance(given, str) and re.fullmatch(r"\d{1,6}", given):
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool) or given < least:
        raise InvalidError(f"{what}: a number from {least} on is needed, or a percentage such as 10%, not {given!r}")
    return given


def purge_of(given, found):
    """Return what becomes of the instances that are not declared: "" for nothing, :data:`STOPPED` or :data:`REPORT`."""
    given = "" if given is None or given is False else given
    if given not in ("", STOPPED, REPORT):
        raise InvalidError(f"purge: false, {STOPPED} or {REPORT}, not {given!r}")
    if given and not any(not is_absent(each) for each in found.values()):
        raise InvalidError("purge: no instance is declared, so all would be purged; that is refused")
    return given
