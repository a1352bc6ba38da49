"""
A host at a glance: its instances as plain data, and what of them is not as an SLS declares it.

Only names and numbers are taken over, never a value of a config: there is no secret in what comes back.
"""

from collections import defaultdict
from datetime import datetime, timezone
from fnmatch import fnmatchcase

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.fleet import name_ranges
from lxdapi.model import equality, objects

AS_DECLARED, NOT_DECLARED, MISSING = "as declared", "not declared", "Missing"
_STATE, _FLEET = "lxdapi_instance", "lxdapi_fleet"
# What stands alone in the changes of an instance that begins or ends.
_WHOLE = {"created": "would be created", "deleted": "would be deleted"}
_LEAF = {"old", "new", "diff"}
_LONGEST = 200


def status(api, name="*", state=True, all_projects=False):
    """
    Return ``{"server": ..., "instances": [...]}``, with one listing.

    name
        A shell-style pattern, or several: a list, or text with commas.
    state
        True: addresses, memory and the number of snapshots as well. For them the daemon looks into every instance,
        which for 200 of them takes 27 times as long.
    all_projects
        True: the instances of every project.
    """
    patterns = parse_words("name", name)
    params = {"recursion": 2 if state else 1, **({"all-projects": "true"} if all_projects else {})}
    listed = api.get("instances", params=params).metadata or ()
    if not listed and not all_projects:
        objects.require_project(api)
    rows = [_row(each, state) for each in listed if matches(each["name"], patterns)]
    return {"server": _server(api), "instances": sorted(rows, key=_order)}


def parse_words(what, given):
    """Return a list of text, which may be given as text with commas; raises :class:`InvalidError` for anything else."""
    words = given.split(",") if isinstance(given, str) else given
    if not isinstance(words, (list, tuple)) or not all(isinstance(each, str) for each in words):
        raise InvalidError(f"{what}: text, or a list of texts, is needed")
    return [each.strip() for each in words if each.strip()]


def matches(name, patterns):
    """Return True if one of the patterns is that of the name."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _server(api):
    environment = api.server.get("environment") or {}
    facts = {"server": "server", "version": "server_version", "name": "server_name"}
    return {**{key: environment.get(word) for key, word in facts.items()}, "clustered": api.clustered}


def _order(row):
    return row["project"], validation.natural_key(row["name"])


def _row(found, with_state):
    inside = found.get("state") or {}
    place = found.get("location")
    row = {
        "name": found["name"],
        "project": found.get("project") or "default",
        "status": found.get("status"),
        "type": found.get("type") or "container",
        "location": None if place in (None, "", "none") else place,
        "created_at": found.get("created_at"),
        "age": _age(found.get("created_at")),
    }
    if with_state:
        memory = (inside.get("memory") or {}).get("usage")
        row.update(addresses=_addresses(inside), memory=memory or None, snapshots=len(found.get("snapshots") or ()))
    return row


def _age(created):
    """Return the seconds since a time, None if it is unknown or one of the daemons' zero times."""
    when = equality.parse_time(created)
    if not isinstance(when, datetime):
        return None
    return max(0, int((datetime.now(timezone.utc) - when).total_seconds()))


def _addresses(inside):
    """Return the addresses that can be reached from elsewhere, those of IPv4 first."""
    nics = sorted((inside.get("network") or {}).items())
    found = [each for _, nic in nics for each in nic.get("addresses") or () if each.get("scope") == "global"]
    return [each["address"] for family in ("inet", "inet6") for each in found if each.get("family") == family]


def compare(found, chunks, answers, where, patterns):
    """
    Put ``drift`` into each row, and a row for each instance that is declared and missing.

    found
        Of :func:`status`.
    chunks, answers
        Of the SLS: its low data, and what its states said in test mode.
    where
        (remote, project) that a state is about which names none, and (remote, project or None for all) of ``found``.
    patterns
        Of the names that were asked for.
    """
    words = _describe(chunks, answers, *where)
    rows = {(row["project"], row["name"]): row for row in found["instances"]}
    for place, row in rows.items():
        row["drift"] = words.pop(place, NOT_DECLARED)
    missing = [_missing(*place, said) for place, said in words.items() if said != AS_DECLARED]
    found["instances"] += [row for row in missing if matches(row["name"], patterns)]
    found["instances"].sort(key=_order)
    return found


def _missing(project, name, said):
    nothing = dict.fromkeys(("type", "location", "created_at", "age", "memory", "snapshots"))
    return {"name": name, "project": project, "status": MISSING, **nothing, "addresses": [], "drift": said}


def _describe(chunks, answers, default, ours):
    """Return {(project, name): words} of the instances that the states are about."""
    said, declared = defaultdict(list), set()
    for chunk in chunks:
        remote, project = chunk.get("remote") or default[0], chunk.get("project") or default[1]
        if remote != ours[0] or ours[1] not in (None, project):
            continue
        answer = answers.get("{state}_|-{__id__}_|-{name}_|-{fun}".format(**chunk))
        for name, part in _instances_of(chunk, answer):
            said[project, name] += _differences(chunk, part)
            declared |= {(project, name)} if _declares(chunk) else set()
    return {place: _sentence(parts) for place, parts in said.items() if parts or place in declared}


def _declares(chunk):
    """Return True for a state of instances as such, not of something in one."""
    return chunk["state"] == _FLEET or (chunk["state"] == _STATE and "instance" not in chunk)


def _instances_of(chunk, answer):
    """Return (name, what the state says of it) of each instance that a state is about."""
    if not chunk["state"].startswith("lxdapi_"):
        return []
    if chunk["state"] == _FLEET:
        return _of_the_fleet(chunk, answer)
    name = chunk["name"] if _declares(chunk) else chunk.get("instance")
    return [(name, answer)] if isinstance(name, str) else []


def _of_the_fleet(chunk, answer):
    """Return the same of a fleet, whose answer is that of all; if it failed nothing is known of who has no changes."""
    try:
        declared = name_ranges.expand_keys(chunk.get("instances") or {})
    except (InvalidError, AttributeError):
        return []  # the state has refused it
    changes = (answer or {}).get("changes") or {}
    told = [name for name in declared if name in changes or (answer and answer["result"] is not False)]
    parts = {name: {"result": None, "changes": changes.get(name)} for name in told}
    return [(name, parts.get(name, answer)) for name in declared]


def _differences(chunk, answer):
    """Return (what would change in words, whether it is a sentence by itself) of a state's answer."""
    if answer is None:
        return [("cannot be told: it was not asked", True)]
    if answer["result"] is False:
        comment = " ".join(str(answer.get("comment")).split())
        return [(f"cannot be told: {comment[:_LONGEST]}", True)]
    changes = answer.get("changes") or {}
    if not _declares(chunk):
        return [(f"{chunk['state'].partition('_')[2]} {chunk['name']}", False)] if changes else []
    whole = [(words, True) for key, words in _WHOLE.items() if key in changes]
    return whole or [(path, False) for path in paths(changes)]


def paths(changes, before=""):
    """Return the keys of a state's ``changes`` as text such as ``config limits.cpu``, without their values."""
    found = []
    for key, value in changes.items():
        path = f"{before} {key}".strip()
        below = isinstance(value, dict) and value and not set(value) <= _LEAF
        found += paths(value, path) if below else [path]
    return found


def _sentence(parts):
    whole = list(dict.fromkeys(words for words, is_whole in parts if is_whole))
    changed = list(dict.fromkeys(words for words, is_whole in parts if not is_whole))
    changed = [f"would change: {', '.join(changed)}"] if changed else []
    return "; ".join(whole + changed) or AS_DECLARED
