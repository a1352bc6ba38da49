"""
The status of a host: its instances as plain data, and their drift from an SLS.

The data has names and numbers but no values of a config, so it contains no secrets.
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
# Keys in the changes of an instance that would be created or deleted.
_WHOLE = {"created": "would be created", "deleted": "would be deleted"}
_LEAF = {"old", "new", "diff"}
_LONGEST = 200


def status(api, name="*", state=True, all_projects=False):
    """
    Return ``{"server": ..., "instances": [...]}``, with one listing.

    name
        A shell-style pattern, or several: a list, or text with commas.
    state
        True: also addresses, memory and the number of snapshots. The daemon then inspects every instance: for 200
        instances that takes 27 times as long.
    all_projects
        True: the instances of every project.
    """
    patterns = parse_texts("name", name)
    params = {"recursion": 2 if state else 1, **({"all-projects": "true"} if all_projects else {})}
    listed = api.get("instances", params=params).metadata or ()
    if not listed and not all_projects:
        objects.require_project(api)
    rows = [_row(each, state) for each in listed if matches(each["name"], patterns)]
    return {"server": _server(api), "instances": sorted(rows, key=_sort_key)}


def parse_texts(label, value):
    """Return a list of texts from a list or from text with commas; raises :class:`InvalidError` for anything else."""
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)) or not all(isinstance(each, str) for each in texts):
        raise InvalidError.of_value(label, "text or a list of text", value)
    return [each.strip() for each in texts if each.strip()]


def matches(name, patterns):
    """Return True if one of the patterns matches the name."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _server(api):
    environment = api.server.get("environment") or {}
    facts = {"server": "server", "version": "server_version", "name": "server_name"}
    return {**{key: environment.get(fact) for key, fact in facts.items()}, "clustered": api.clustered}


def _sort_key(row):
    return row["project"], validation.natural_key(row["name"])


def _row(metadata, with_state):
    state = metadata.get("state") or {}
    location = metadata.get("location")
    row = {
        "name": metadata["name"],
        "project": metadata.get("project") or "default",
        "status": metadata.get("status"),
        "type": metadata.get("type") or "container",
        "location": None if location in (None, "", "none") else location,
        "created_at": metadata.get("created_at"),
        "age": _age(metadata.get("created_at")),
    }
    if with_state:
        memory = (state.get("memory") or {}).get("usage")
        row.update(addresses=_addresses(state), memory=memory or None, snapshots=len(metadata.get("snapshots") or ()))
    return row


def _age(created):
    """Return the seconds since a time, None if it is unknown or one of the daemons' zero times."""
    when = equality.parse_time(created)
    if not isinstance(when, datetime):
        return None
    return max(0, int((datetime.now(timezone.utc) - when).total_seconds()))


def _addresses(state):
    """Return the global addresses, those of IPv4 first."""
    nics = sorted((state.get("network") or {}).items())
    addresses = [each for _, nic in nics for each in nic.get("addresses") or () if each.get("scope") == "global"]
    return [each["address"] for family in ("inet", "inet6") for each in addresses if each.get("family") == family]


def compare(overview, chunks, answers, scopes, patterns):
    """
    Add ``drift`` to each row, and a row for each declared instance that does not exist.

    overview
        The result of :func:`status`.
    chunks, answers
        The low data of the SLS, and the answers of its states in test mode.
    scopes
        The default (remote, project) of a state, and (remote, project or None for all) of ``overview``.
    patterns
        The patterns of the requested names.
    """
    drifts = _drift_by_instance(chunks, answers, *scopes)
    rows = {(row["project"], row["name"]): row for row in overview["instances"]}
    for place, row in rows.items():
        row["drift"] = drifts.pop(place, NOT_DECLARED)
    missing = [_missing_row(project, name, drift) for (project, name), drift in drifts.items() if drift != AS_DECLARED]
    overview["instances"] += [row for row in missing if matches(row["name"], patterns)]
    overview["instances"].sort(key=_sort_key)
    return overview


def _missing_row(project, name, drift):
    nothing = dict.fromkeys(("type", "location", "created_at", "age", "memory", "snapshots"))
    return {"name": name, "project": project, "status": MISSING, **nothing, "addresses": [], "drift": drift}


def _drift_by_instance(chunks, answers, default, current_remote):
    """Return {(project, name): drift} of the instances that the states are about."""
    differences, declared = defaultdict(list), set()
    for chunk in chunks:
        remote, project = chunk.get("remote") or default[0], chunk.get("project") or default[1]
        if remote != current_remote[0] or current_remote[1] not in (None, project):
            continue
        answer = answers.get("{state}_|-{__id__}_|-{name}_|-{fun}".format(**chunk))
        for name, part in _instances_of(chunk, answer):
            differences[project, name] += _describe_changes(chunk, part)
            declared |= {(project, name)} if _declares(chunk) else set()
    return {place: _drift_text(parts) for place, parts in differences.items() if parts or place in declared}


def _declares(chunk):
    """Return True for a state that declares instances, not something inside one."""
    return chunk["state"] == _FLEET or (chunk["state"] == _STATE and "instance" not in chunk)


def _instances_of(chunk, answer):
    """Return (name, answer) of each instance that a state is about."""
    if not chunk["state"].startswith("lxdapi_"):
        return []
    if chunk["state"] == _FLEET:
        return _fleet_instances(chunk, answer)
    name = chunk["name"] if _declares(chunk) else chunk.get("instance")
    return [(name, answer)] if isinstance(name, str) else []


def _fleet_instances(chunk, answer):
    """Return (name, answer) of each instance of a fleet; if the fleet failed, its answer counts for unchanged ones."""
    try:
        declared = name_ranges.expand_keys(chunk.get("instances") or {})
    except (InvalidError, AttributeError):
        return []  # the state has refused it
    changes = (answer or {}).get("changes") or {}
    known = [name for name in declared if name in changes or (answer and answer["result"] is not False)]
    parts = {name: {"result": None, "changes": changes.get(name)} for name in known}
    return [(name, parts.get(name, answer)) for name in declared]


def _describe_changes(chunk, answer):
    """Return (change as text, whether it is a sentence by itself) for the changes in a state's answer."""
    if answer is None:
        return [("unknown: the state was not run", True)]
    if answer["result"] is False:
        comment = " ".join(str(answer.get("comment")).split())
        return [(f"unknown: {comment[:_LONGEST]}", True)]
    changes = answer.get("changes") or {}
    if not _declares(chunk):
        return [(f"{chunk['state'].partition('_')[2]} {chunk['name']}", False)] if changes else []
    whole = [(text, True) for key, text in _WHOLE.items() if key in changes]
    return whole or [(path, False) for path in paths(changes)]


def paths(changes, before=""):
    """Return the keys of a state's ``changes`` as text such as ``config limits.cpu``, without their values."""
    texts = []
    for key, value in changes.items():
        path = f"{before} {key}".strip()
        nested = isinstance(value, dict) and value and not set(value) <= _LEAF
        texts += paths(value, path) if nested else [path]
    return texts


def _drift_text(parts):
    whole = list(dict.fromkeys(text for text, is_whole in parts if is_whole))
    changed = list(dict.fromkeys(text for text, is_whole in parts if not is_whole))
    changed = [f"would change: {', '.join(changed)}"] if changed else []
    return "; ".join(whole + changed) or AS_DECLARED
