"""
The one way to a declared state: read, compare, and say in steps what is to be done.

A plan is a list of :class:`lxdapi_plan.Step`, made with GETs only.
"""

import lxdapi_diff as diff
import lxdapi_items as items
import lxdapi_names as names
import lxdapi_server as server
from lxdapi_errors import (
    APIException,
    APINotFoundException,
    APIOperationException,
    APIOutcomeUnknownException,
    APIPreconditionException,
    APIProtocolException,
    InvalidError,
)
from lxdapi_kinds import kind_of
from lxdapi_plan import Nothing, Step

# How often a write is tried when somebody else keeps changing the object between read and write.
TRIES = 10


def path_of(kind, name):
    """Return the REST path of an object, each part of its name checked against its rule and quoted."""
    return names.path(kind.path, **parts_of(kind, name))


def parts_of(kind, name):
    """
    Return the parts of a name by their words: ``{"storage_pool": "default", "name": "data"}``.

    Raises :class:`InvalidError` for a name that lacks a parent or that the daemon could misread.
    """
    if not kind.parents:
        return {"name": names.check(kind.rule, kind.label, name)}
    parts = name.split("/") if isinstance(name, str) else ()
    shape = "/".join([*kind.parents, "name"]).upper()
    if len(parts) != len(kind.parents) + 1:
        raise InvalidError(f"{kind.label} name {name!r} is not valid: {shape} is needed")
    own = names.check(kind.rule, kind.label, parts[-1])
    kinds = [kind_of(word) for word in kind.parents]
    above = [names.check(parent.rule, parent.label, part) for parent, part in zip(kinds, parts)]
    return dict(zip((*kind.parents, "name"), (*above, own)))


def sibling(kind, name, other):
    """Return the name of another object beside the named one: ``other`` may leave the parents out."""
    if not kind.parents or not isinstance(other, str) or "/" in other:
        return other
    return f"{name.rpartition('/')[0]}/{other}"


def lacks(api, kind):
    """Return in words that the daemon has none of this kind and never will, "" if it can."""
    if kind.clustered and not api.clustered:
        return f"the server is not clustered: it has no {kind.label}"
    if kind.extension is None or api.has(kind.extension):
        return ""
    return f"{_daemon(api)} has no kind {kind.label}: it lacks the API extension {kind.extension}"


def _daemon(api):
    found = api.server.get("environment") or {}
    return f"{found.get('server', 'the daemon')} {found.get('server_version', '')}".strip()


def require(api, kind):
    """Raise :class:`InvalidError` if the daemon does not know this kind."""
    words = lacks(api, kind)
    if words:
        raise InvalidError(words)


def nowhere(api):
    """Return in words that the project that is asked for everything does not exist, "" if it does."""
    project = api.project or "default"
    # always there; but Incus 7.0.2 hides what is in it from a client, known by https, that is restricted to others
    if project == "default" and not api.endpoint.startswith("https:"):
        return ""
    found = read(api, kind_of("project"), project)
    return "" if found else f"there is no project {project!r} on {api.endpoint}"


def require_project(api):
    """Raise :class:`InvalidError` for a project that does not exist: LXD lists it as empty."""
    words = nowhere(api)
    if words:
        raise InvalidError(words)


def require_fields(api, kind, fields):
    """Raise :class:`InvalidError` if the daemon does not know one of these fields."""
    for field, extension in kind.extensions.items():
        if _declares(fields, *field.split(".")) and not api.has(extension):
            words = f"{_daemon(api)} has no {field} of the kind {kind.label}: it lacks the API extension {extension}"
            raise InvalidError(words)


def _declares(fields, field, key=None):
    return field in fields and (key is None or any(key in item for item in fields[field]))


def read(api, kind, name):
    """
    Return the :class:`lxdapi_api.APIResult` of the object, None if the daemon says 404.

    Raises :class:`InvalidError` if the daemon does not know the kind.
    """
    path = path_of(kind, name)
    require(api, kind)
    try:
        found = api.get(path)
    except APINotFoundException:
        return None
    if not isinstance(found.metadata, dict):
        raise APIProtocolException(found, "this is no object")
    # an interface of the machine, which the daemon lists beside its networks
    return None if found.metadata.get("managed") is False else found


def present(api, word, name, wanted, purge=False, renamed_from=None):
    """
    Return the steps to an object with the declared fields.

    wanted
        ``{field: value}``; None is left alone. See :mod:`lxdapi_diff`.
    purge
        True: of rules, ports and the like, those that are not declared go.
    renamed_from
        The name of an object that is to become this one, if this one does not exist.
    """
    kind = kind_of(word)
    wanted, purge = diff.normal(kind, wanted), items.truth("purge", purge or False)
    current = read(api, kind, name)
    require_fields(api, kind, wanted)
    renamed = [] if current is not None else rename_steps(api, kind, renamed_from, name)
    if renamed:
        current = read(api, kind, sibling(kind, name, renamed_from))
        steps = update_steps(api, kind, name, wanted, current, purge=purge)
        return renamed + [step._replace(act=lambda: update(api, kind, name, wanted, None, purge)) for step in steps]
    if current is None:
        return creation(api, kind, name, wanted)
    return update_steps(api, kind, name, wanted, current, purge=purge)


def made(api, word, name, wanted):
    """Return the steps to a new object, whether there is one or not: the daemon refuses a second one."""
    kind = kind_of(word)
    if kind.made:
        raise InvalidError(f"a new {kind.label} is not made like this: {kind.made}")
    wanted = diff.normal(kind, wanted)
    path_of(kind, name)
    require(api, kind)
    require_fields(api, kind, wanted)
    return creation(api, kind, name, wanted)


def updated(api, word, name, wanted, purge=False):
    """Return the steps that make an existing object as declared; raises if there is none."""
    kind = kind_of(word)
    wanted, purge = diff.normal(kind, wanted), items.truth("purge", purge or False)
    require(api, kind)
    require_fields(api, kind, wanted)
    return update_steps(api, kind, name, wanted, api.get(path_of(kind, name)), purge=purge)


def renamed(api, word, name, other):
    """Return the step that gives an existing object another name; raises if there is none."""
    kind = kind_of(word)
    path_of(kind, name)
    require(api, kind)
    steps = rename_steps(api, kind, name, sibling(kind, name, other))
    if not steps:
        raise InvalidError(f"there is no {kind.label} {name}")
    return steps


def creation(api, kind, name, wanted):
    """
    Return the steps to a new object; raises :class:`InvalidError` for a kind that cannot be created.

    The daemon gives some a key that was not sent (``features.images``, ``ipv6.address``): what is declared to be
    absent goes afterwards.
    """
    if kind.made:
        raise InvalidError(f"there is none: {kind.made}")
    refuse_undemanded(kind, wanted)
    act = lambda: create(api, kind, name, wanted)  # noqa: E731
    made = Step("created", {"created": name}, act, lacking=lambda: _orphaned(api, kind, name))
    late = {field: wanted[field] for field in kind.late if field in wanted}
    return [made] + completion(api, kind, name, {**late, **unmade(wanted)})


def refuse_undemanded(kind, wanted):
    """Raise :class:`InvalidError` for a new object without a field that it has to have."""
    without = [field for field in kind.demanded if not wanted.get(field)]
    if without:
        raise InvalidError(f"{', '.join(without)}: needed for a new {kind.label}")


def unmade(wanted):
    """Return what a create cannot do: what is declared to be absent, and the daemon may put in."""
    maps = {field: value for field, value in wanted.items() if isinstance(value, dict)}
    return {field: value for field, value in maps.items() if not value or None in value.values()}


def _orphaned(api, kind, name):
    """Return in words that what the object is to be in does not exist, "" if it does."""
    if nowhere(api) and not kind.of_server:
        return f"project {api.project} does not exist"
    if not kind.parents:
        return ""
    parent, above = kind_of(kind.parents[-1]), name.rpartition("/")[0]
    return "" if read(api, parent, above) is not None else f"{parent.label} {above} does not exist"


def rename_steps(api, kind, old, name):
    """Return the step that gives another object this name; none if there is no other."""
    if old is None:
        return []
    if not kind.rename:
        raise InvalidError(f"the kind {kind.label} cannot be renamed")
    old = sibling(kind, name, old)
    if parts_of(kind, old) != {**parts_of(kind, name), "name": parts_of(kind, old)["name"]}:
        raise InvalidError(f"{kind.label} {old} cannot be renamed to {name}: that is elsewhere")
    if read(api, kind, old) is None:
        return []
    change = {"name": {"old": old, "new": name}}
    return [Step(f"renamed from {old}", change, lambda: rename(api, kind, old, name))]


def rename(api, kind, old, name):
    """Rename the object and wait; the daemon refuses a name that is taken."""
    body = {kind.key: parts_of(kind, name)["name"]}
    api.post(path_of(kind, old), json=body, **patience(api, kind)).wait()


def update_steps(api, kind, name, wanted, current, note="", purge=False):
    """Return the steps that make an existing object as declared: one or none."""
    refuse_fixed(kind, wanted, current)
    delta = diff.compare(kind, wanted, current.metadata, purge)
    others = "" if purge else diff.others(kind, wanted, current.metadata)
    if not delta:
        return Nothing("as declared", diff.unseen(wanted, current.metadata), others)
    note = "; ".join(filter(None, [note, _without_effect(api, kind, delta.changes), others]))
    return [Step("updated", delta.changes, lambda: update(api, kind, name, wanted, current, purge), note)]


def _without_effect(api, kind, changes):
    """Return in words which of the changes this daemon only stores."""
    words = [
        f"{key} has no effect on what is there already: {_daemon(api)} lacks the API extension {extension}"
        for place, extension in kind.inert.items()
        for field, _, key in [place.partition(".")]
        if key in changes.get(field, ()) and not api.has(extension)
    ]
    return ", ".join(words)


def completion(api, kind, name, wanted):
    """
    Return the steps that give a new object what its creation could not: a failure leaves the object,
    of which ``changes`` says that it was created, to the next run.
    """
    if not wanted:
        return []
    return [Step("completed", {}, lambda: update(api, kind, name, wanted) and {})]


def refuse_fixed(kind, wanted, current):
    """Raise :class:`InvalidError` if a declared create-only field differs."""
    words = diff.fixed(kind, wanted, current.metadata)
    if words:
        raise InvalidError("; ".join(words))


def absent(api, word, name, force=False):
    """
    Return the steps to the absence of an object; a daemon that does not know its kind has none.

    force
        True: with all that is in it, where the daemon can.
    """
    kind, force = kind_of(word), items.truth("force", force or False)
    path_of(kind, name)
    if not kind.path:
        raise InvalidError(f"the {kind.label} cannot be deleted: {kind.made}")
    if force and not kind.forcible:
        raise InvalidError(f"force: the kind {kind.label} has none")
    words = lacks(api, kind)
    current = None if words else read(api, kind, name)
    if current is None:
        return Nothing("absent", words or ("" if kind.of_server else nowhere(api)))
    if force:
        require_fields(api, kind, ("force",))
    note = "" if force else _users(kind, name, current.metadata)
    return [Step("deleted", {"deleted": name}, lambda: remove(api, kind, name, force), note)]


def _users(kind, name, found):
    """Return in words who uses an object, "" for nobody but what goes with it."""
    own = [path.format(name=name) for path in kind.born_with]
    users = [path.replace("/1.0/", "", 1) for path in found.get("used_by") or ()]
    users = [path for path in users if path not in own]
    more = f" and {len(users) - 5} more" if len(users) > 5 else ""
    return f"it is used by {', '.join(users[:5])}{more}" if users else ""


def create(api, kind, name, wanted, timeout=None, extra=None):
    """
    Create the object with the declared fields, in one call, and wait for it.

    extra
        What the body has beyond the fields: an instance's ``source``.
    """
    parts = parts_of(kind, name)
    own = {kind.key: parts["name"]} if kind.key else {}
    body = {**diff.created(kind, wanted), **own, **(extra or {})}
    api.post(names.path(kind.collection, **parts), json=body, **patience(api, kind)).wait(timeout)


def patience(api, kind):
    """Return how long a write waits for its reply: where the daemon works before it answers, as for an operation."""
    return {"timeout": max(api.timeout, api.wait_timeout)} if kind.slow else {}


def update(api, kind, name, wanted, current=None, purge=False):
    """
    Make the fields as declared and return what changed.

    Read, compared and written with If-Match, again and again while somebody else is faster, so
    that nothing set meanwhile is lost.
    """
    for _ in range(TRIES):
        current = current or api.get(path_of(kind, name))
        delta = diff.compare(kind, wanted, current.metadata, purge)
        if not delta:
            return {}
        try:
            done = write(api, kind, name, current, delta).wait()
        except APIPreconditionException as exc:
            current, lost = None, exc
            continue
        except APIException as exc:
            if kind.patch_whole and exc.status:
                server.put_back(api, kind, current, delta)
            raise
        if kind.checked:
            _refuse_undone(kind, wanted, done, delta.changes)
        return delta.changes
    raise lost


def _refuse_undone(kind, wanted, done, changes):
    """Raise if the daemon accepted a write and did not do all of it; the error has the changes that it did."""
    current = done.api.get(done.request.url)
    undone = diff.compare(kind, wanted, current.metadata).changes
    if undone:
        words = f"the daemon accepted it, but {', '.join(undone)} did not become as declared"
        error = APIProtocolException(done, words)
        error.changes = {field: change for field, change in changes.items() if field not in undone}
        raise error


def write(api, kind, name, current, delta):
    """Send the difference: by PATCH what is added or changed, by a PUT of the whole what goes."""
    headers = {"If-Match": current.etag} if current.etag else {}
    partial = kind.patch and (kind.patch_unsets or not delta.removes)
    repeated = kind.patch_with if partial else kind.written(current.metadata)
    body = {field: current.metadata[field] for field in repeated if field in current.metadata}
    touched = server.touched(kind, current, delta) if kind.patch_whole else delta.touched
    body.update(touched if partial else delta.fields)
    method = "PATCH" if partial else "PUT"
    return api.request(method, path_of(kind, name), json=body, headers=headers, **patience(api, kind))


def remove(api, kind, name, force=False):
    """Delete the object and wait; somebody else having deleted it meanwhile is as good."""
    try:
        api.delete(path_of(kind, name), params={"force": 1} if force else None, **patience(api, kind)).wait()
    except APINotFoundException:
        return {}
    except APIOutcomeUnknownException:
        if read(api, kind, name) is not None:
            raise
    except APIOperationException:
        if read(api, kind, name) is not None:
            raise
        return {}
    return None
