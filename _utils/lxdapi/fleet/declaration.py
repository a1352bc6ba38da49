"""
The declaration of a fleet: a definition for each name, with defaults merged in, in the order of creation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Dict, Optional

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.fleet import name_ranges
from lxdapi.fleet.batches import Batches
from lxdapi.fleet.runner import parse_concurrency
from lxdapi.instances.spec import FIELDS, InstanceSpec

# The parameters of lxdapi_instance.present in addition to the fields.
HOW = (
    *("source", "running", "restart_on_change", "timeout", "renamed_from", "target", "move", "wait_for"),
    *("snapshot_before", "image_changed", "cloud_init", "devices_override", "replace_partial"),
)
KEYS = (*FIELDS, *HOW, "absent", "force")
# Keys in which null has a meaning: it removes something.
_NULLS = ("config", "devices", "cloud_init", "devices_override")
STOPPED, REPORT = "stopped", "report"


@dataclass(frozen=True)
class Definition:
    """
    The declaration of one instance of a fleet.

    absent
        True: it must not exist.
    force
        True: stop a running instance to delete it.
    spec
        The declaration of an instance that must exist.
    """

    absent: bool
    force: bool
    spec: InstanceSpec


@dataclass(frozen=True)
class FleetSpec:
    """
    The declaration of a fleet; :meth:`parse` validates it without a request.

    definitions
        See :func:`parse_definitions`.
    concurrency
        See :class:`lxdapi.fleet.runner.FleetRunner`.
    purge
        How to treat undeclared instances: see :func:`parse_purge`.
    batches
        The number of instances at a time.
    sensitive
        Patterns of keys whose values are masked.
    """

    definitions: Dict[str, Definition]
    concurrency: Optional[int] = None
    purge: str = ""
    batches: Batches = Batches()
    sensitive: tuple = ()

    @classmethod
    def parse(
        cls, instances, defaults=None, concurrency=None, purge=False, batch=None, max_failures=None, sensitive=None
    ):
        """Return the spec; the parameters are those of ``lxdapi_fleet.managed``."""
        patterns = validation.parse_patterns("sensitive", sensitive)
        definitions = parse_definitions(instances, defaults)
        return cls(
            definitions,
            parse_concurrency(concurrency),
            parse_purge(purge, definitions),
            Batches.parse(batch, max_failures, len(definitions)),
            patterns,
        )


def parse_definitions(declared, defaults=None, label="defaults"):
    """
    Return ``{name: :class:`Definition`}``, the source of a copy before the copy.

    declared
        ``{name or range: definition}``; None is an empty definition.
    defaults
        The definition that all inherit: mappings are merged, other values replaced, and null removes a key.
    label
        The name of the defaults in errors.

    Raises :class:`InvalidError`, with the name of the instance, for an unknown key or an invalid value.
    """
    defaults = _parse_keys(label, defaults)
    declared = validation.mapping("instances", declared, "a mapping of names to definitions")
    definitions = name_ranges.expand_keys({entry: _parse_keys(entry, each) for entry, each in declared.items()})
    definitions = {
        name: _parse_definition(name, without_removed(merge(defaults, each))) for name, each in definitions.items()
    }
    return {name: definitions[name] for name in _sort_by_source(definitions)}


def _parse_keys(entry, keys):
    keys = validation.mapping(entry, keys)
    validation.require_known(entry, keys, sorted(KEYS))
    # only a mapping is merged over that of the defaults
    lists = [key for key in _NULLS if isinstance(keys.get(key), (list, tuple))]
    return {**keys, **{key: validation.mapping(f"{entry} {key}", keys[key]) for key in lists}}


def merge(old, new):
    """Return a mapping with another merged over it, nested mappings likewise; other values are replaced."""
    nested = {key: old[key] for key in old if key in new and isinstance(old[key], Mapping)}
    merged_nested = {key: merge(each, new[key]) for key, each in nested.items() if isinstance(new[key], Mapping)}
    return {**old, **new, **merged_nested}


def without_removed(keys):
    """Return the definition without the keys that null removes."""
    return {key: each if key in _NULLS else _without_null(each) for key, each in keys.items() if each is not None}


def _without_null(value):
    if not isinstance(value, Mapping):
        return value
    return {key: _without_null(each) for key, each in value.items() if each is not None}


def _parse_definition(name, keys):
    """Return the :class:`Definition`; raises for everything that is invalid without asking the daemon."""
    try:
        absent, force = (validation.truth(key, keys.get(key, False)) for key in ("absent", "force"))
        fields = {key: keys[key] for key in FIELDS if key in keys}
        return Definition(absent, force, InstanceSpec.parse(fields, **{k: keys[k] for k in HOW if k in keys}))
    except InvalidError as exc:
        raise InvalidError(f"{name}: {exc}") from exc


def copy_source(definition):
    """Return the name of the instance that this one is copied from, None unless it is a copy."""
    source = definition.spec.source
    if source["type"] != "copy" or "project" in source:
        return None
    return source["source"].partition("/")[0]


def prerequisite_of(definitions, name):
    """Return the name of the instance that must exist before this one, None without one."""
    other = None if definitions[name].absent else copy_source(definitions[name])
    return other if other in definitions and other != name and not definitions[other].absent else None


def _sort_by_source(definitions):
    """Return the names, each after its copy source; raises for a circle."""
    order = {}
    for name in definitions:
        chain = [name]
        while prerequisite_of(definitions, chain[-1]) is not None and chain[-1] not in order:
            chain.append(prerequisite_of(definitions, chain[-1]))
            if chain[-1] in chain[:-1]:
                raise InvalidError(
                    f"{' is copied from '.join(chain)}: this is a circle, one of them needs another source"
                )
        order.update(dict.fromkeys(reversed(chain)))
    return list(order)


def parse_purge(value, definitions):
    """Return how to treat undeclared instances: "" to keep them, :data:`STOPPED` or :data:`REPORT`."""
    value = "" if value is None or value is False else value
    if value not in ("", STOPPED, REPORT):
        raise InvalidError.of_value("purge", f"false, {STOPPED} or {REPORT}", value)
    if value and not any(not each.absent for each in definitions.values()):
        raise InvalidError("purge: no instance is declared, so all instances would be purged; declare the ones to keep")
    return value
