"""
A new instance: one call with everything in it, known to be whole afterwards.
"""

import logging
from dataclasses import replace
from functools import partial

from lxdapi.errors import APIException, APIOperationException, InvalidError
from lxdapi.http import retry
from lxdapi.instances import backups, partial_creation, power, sources
from lxdapi.model import objects, writes
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge, steps
from lxdapi.plan.steps import Step

log = logging.getLogger(__name__)

KIND = KINDS["instance"]
# Kinds that a device names: the key that holds the name.
_NEEDS = {"network": "network", "storage_pool": "pool"}
# Brought "start": true, which others ignore.
_START = "instance_create_start"


def create(api, name, wanted, source, timeout=None, extra=None, target=None, replace_partial=False):
    """
    Create the instance with everything in it, in one call, and wait until it is known to be whole.

    extra
        What the body has beyond the fields and the source.
    target
        The member of the cluster, or ``@group`` of members, that it is made on; None: the daemon's choice.

    replace_partial
        True: what a daemon that died left of our creation is replaced although it may hold data. False: only if it is
        proven that it was never filled.

    An answer that was lost is settled by looking at the instance. Returns None, after an answer that was lost what was
    done. An exception whose ``made`` is True is about what comes after the creation, such as a start.
    """
    source = sources.parse_source(source)
    if "project" in source:
        source = sources.resolve_alias(api, source)
    inherited = sources.inherited_fields(api, source) if source["type"] == "copy" else {}
    body = {**(extra or {}), "source": source}
    there = api.at(target) if target else api

    def send(fields):
        return writes.create(there, KIND, name, fields, timeout, body)

    try:
        return create_verified(api, name, {**inherited, **wanted}, send, replace_partial)
    except APIException as exc:
        if retry.is_refusal(exc) and not exc.made:
            # that there is no such image LXD and Incus say differently; this raises a plain "not found"
            sources.resolve_alias(api, source)
        raise


def create_verified(api, name, fields, send, replace_partial=False):
    """
    Make an instance, and know that it is whole.

    send
        Called with the fields, a mark of ours among them; makes it, and waits for the end.

    Returns and raises: see :func:`create`.
    """
    config, mark = partial_creation.with_mark(fields.get("config") or {})

    def act():
        try:
            return send({**fields, "config": config})
        except APIException as exc:
            exc.made = _is_created(api, name, mark, exc)
            exc.changes = {"created": name} if exc.made else exc.changes
            raise

    found = retry.write_verified(api, act, lambda: _verify_created(api, name, mark, replace_partial))
    partial_creation.remember(mark)
    if partial_creation.MARK in config:
        _unmark(api, name)
    return {"created": name} if found else None


def _unmark(api, name):
    try:
        partial_creation.remove_mark(api, name)
    except APIException as exc:  # it is made; the next run takes the mark away
        log.warning("lxdapi: instance %s keeps its mark: %s", name, exc.explain())


def _is_created(api, name, mark, error):
    """Return True if our creation came to its end, and what was to be done after it failed."""
    if not isinstance(error, APIOperationException):
        return False
    try:
        current = objects.read(api, KIND, name)
    except APIException:
        return False
    if current is None or partial_creation.looks_partial(current) or partial_creation.mark_of(current) != mark:
        return False
    partial_creation.remember(mark)
    return True


def _verify_created(api, name, mark, replace_partial):
    """Return True if our creation, whose answer was lost, ended well; None if there is nothing of it (any more)."""
    current = partial_creation.wait_until_created(api, name, begun=True)
    # of another's the daemon says that it exists already
    if current is None or partial_creation.mark_of(current) != mark:
        return None
    if partial_creation.examine(api, name, current).created:
        return True
    partial_creation.delete_partial(api, name, current, replace_partial)
    return None


def _create_or_adopt(api, name, *args):
    """Create the instance, or make it as declared if somebody else was faster; returns what that changed."""
    wanted = args[0]
    try:
        return create(api, name, *args)
    except APIException as exc:
        current = partial_creation.wait_until_created(api, name) if retry.is_refusal(exc) and not exc.made else None
        if current is None or not partial_creation.examine(api, name, current).created:
            raise
        writes.require_immutable_unchanged(KIND, wanted, current)
        return writes.update(api, KIND, name, wanted)


def require_target(api, target):
    """Raise :class:`InvalidError` for a member or a ``@group`` of members that is not there."""
    if not target:
        return
    if not api.clustered:
        raise InvalidError("target: the server is not clustered")
    kind_name = "cluster_group" if str(target).startswith("@") else "cluster_member"
    if not _exists(api, kind_name, str(target).lstrip("@")):
        raise InvalidError(f"target: there is no {KINDS[kind_name].label} {str(target).lstrip('@')}")


def plan_create(
    api, name, wanted, source, timeout=None, target=None, shared=True, running=False, replace_partial=False
):
    """
    Return the steps to a new instance.

    shared
        True: that somebody else makes it meanwhile is as good, if it becomes as declared. False: it is refused.
    running
        True: it is started as well; where the daemon can (API extension instance_create_start) by the same request.
    replace_partial
        See :func:`create`.

    ``image.*`` keys and the architecture are overwritten from the image at create (all three), so what
    is declared of them is written afterwards.
    """
    require_target(api, target)
    started = power.plan_transition(api, name, "Stopped", "Running") if running else []
    sort = sources.parse_source(source)["type"]
    if sort == "backup":
        return backups.plan_create(api, name, source, wanted, timeout, target) + started
    late = "architecture" in wanted or any(key.startswith("image.") for key in wanted.get("config") or ())
    late = late or (sort == "copy" and converge.removals(wanted))
    at_once = bool(started) and not late and sort == "image" and api.has(_START)
    make, extra = _create_or_adopt if shared else create, {"start": True} if at_once else None
    apply = partial(make, api, name, wanted, source, timeout, extra, target, replace_partial)
    note = "it is empty: no source is declared" if source is None else ""
    made = Step("created", {"created": name}, apply, note, partial(missing_prerequisites, api, wanted, source))
    if at_once:
        return _plan_create_started(api, name, made, *started)
    return [made] + (converge.plan_follow_up(api, KIND, name, wanted) if late else []) + started


def _plan_create_started(api, name, made, started):
    """Return the steps for an instance that the request for its creation starts: the second one tells how that went."""
    actual, error = None, None

    def make():
        nonlocal actual, error
        try:
            actual = made.apply()
        except APIException as exc:
            if not exc.made:
                raise
            error = exc
        return actual

    def start():
        if error is not None:
            power.wait_after_failed_start(api, name)
            if not retry.is_busy(error):
                raise error
            return steps.apply(
                power.plan_transition(api, name, power.status(power.wait_until_stable(api, name)), "Running")
            )
        if actual is None:
            return None
        here = power.status(power.wait_until_stable(api, name))
        if here == "Running" and actual == made.changes:  # the answer was lost, but the request was ours
            return None
        return steps.apply(power.plan_transition(api, name, here, "Running"))

    return [replace(made, apply=make), replace(started, apply=start)]


def missing_prerequisites(api, wanted, source=None):
    """Return in words what is declared and does not exist: project, image, profiles, networks, storage pools."""
    if objects.missing_project_reason(api):
        return f"project {api.project} does not exist"
    needed = sources.needed_images(source) + [("profile", name) for name in wanted.get("profiles") or ()]
    for device in (wanted.get("devices") or {}).values():
        needed += [(kind_name, device[key]) for kind_name, key in _NEEDS.items() if device and device.get(key)]
    missing = [f"{KINDS[each].label} {name}" for each, name in dict.fromkeys(needed) if not _exists(api, each, name)]
    return f"{', '.join(missing)} {'does' if len(missing) == 1 else 'do'} not exist" if missing else ""


def _exists(api, kind_name, name):
    return objects.read(api, KINDS[kind_name], name) is not None
