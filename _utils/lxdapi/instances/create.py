"""
Creates an instance in one request and verifies that it is complete.
"""

import logging
from functools import partial

from lxdapi.errors import APIException, APIOperationException, InvalidError
from lxdapi.http import retry
from lxdapi.images import servers
from lxdapi.instances import partial_creation, power, sources
from lxdapi.model import objects, project_rules, writes
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge, steps
from lxdapi.plan.steps import Step

log = logging.getLogger(__name__)

KIND = KINDS["instance"]
# Kinds that a device refers to: the key with the name.
_NEEDS = {"network": "network", "storage_pool": "pool"}
# The API extension for "start": true, which daemons without it ignore.
_START = "instance_create_start"


def create(api, name, declared, source, timeout=None, extra=None, target=None, replace_partial=False):
    """
    Create the instance in one request and wait until it is verified to be complete.

    source
        The result of :func:`lxdapi.instances.sources.parse_source`.
    extra
        Additions to the body beyond the fields and the source.
    target
        The cluster member, or ``@group`` of members, for the instance. Default: the daemon's choice.
    replace_partial
        True: replace our partial creation that a dead daemon left, although it may hold data. False: replace it only if
        it was provably never filled.

    If the reply is lost, lxdapi reads the instance to see the outcome. Returns None, or the changes after a lost reply.
    An exception whose ``created`` is True is about a step after the creation, such as a start.
    """
    source = servers.resolve(api, source)
    if "project" in source:
        source = sources.resolve_alias(api, source)
    inherited = sources.inherited_fields(api, source) if source["type"] == "copy" else {}
    body = {**(extra or {}), "source": source}
    target_api = api.at(target) if target else api

    def send(fields):
        return writes.create(target_api, KIND, name, fields, timeout, body)

    try:
        return create_verified(api, name, {**inherited, **declared}, send, replace_partial)
    except APIException as exc:
        if retry.is_refusal(exc) and not exc.created:
            servers.raise_if_missing(source, exc)
            # LXD and Incus report a missing image differently; this raises a plain "not found"
            sources.resolve_alias(api, source)
        raise


def create_verified(api, name, fields, send, replace_partial=False):
    """
    Create an instance and verify that it is complete.

    send
        Called with the fields, including the mark; creates the instance and waits for the end.

    Returns and raises: see :func:`create`.
    """
    rules = project_rules.read(api)
    refuses_volatile = rules.refuses_volatile(fields.get("type"))
    config, mark = partial_creation.with_mark(fields.get("config") or {}, refuses_volatile)

    def send_marked():
        try:
            return send({**fields, "config": config})
        except APIException as exc:
            exc.created = _creation_ended(api, name, mark, exc)
            exc.changes = {"created": name} if exc.created else exc.changes
            raise

    with rules.one_at_a_time():
        created = retry.write_verified(api, send_marked, lambda: _verify_created(api, name, mark, replace_partial))
    partial_creation.remember(mark)
    if partial_creation.CREATING_KEY in config:
        _remove_mark_later(api, name)
    return {"created": name} if created else None


def _remove_mark_later(api, name):
    try:
        partial_creation.remove_mark(api, name)
    except APIException as exc:  # the instance exists; the next run removes the mark
        log.warning("lxdapi: could not remove the creation mark of instance %s: %s", name, exc.explain())


def _creation_ended(api, name, mark, error):
    """Return True if our creation succeeded and only what follows it failed."""
    if not isinstance(error, APIOperationException):
        return False
    try:
        result = objects.read(api, KIND, name)
    except APIException:
        return False
    if result is None or partial_creation.looks_partial(result) or partial_creation.mark_of(result) != mark:
        return False
    partial_creation.remember(mark)
    return True


def _verify_created(api, name, mark, replace_partial):
    """Return True if our creation succeeded although the reply was lost, None if the instance does not exist."""
    result = partial_creation.wait_until_created(api, name, may_be_sent=True)
    # the daemon reports the instance of another client as existing
    if result is None or partial_creation.mark_of(result) != mark:
        return None
    if partial_creation.examine(api, name, result).created:
        return True
    partial_creation.delete_partial(api, name, result, replace_partial)
    return None


def _create_or_adopt(api, name, *args):
    """Create the instance, or update the one that somebody else created meanwhile; returns the changes."""
    declared = args[0]
    try:
        return create(api, name, *args)
    except APIException as exc:
        result = partial_creation.wait_until_created(api, name) if retry.is_refusal(exc) and not exc.created else None
        if result is None or not partial_creation.examine(api, name, result).created:
            raise
        writes.require_immutable_unchanged(KIND, declared, result)
        return writes.update(api, KIND, name, declared)


def require_target(api, target):
    """Raise :class:`InvalidError` for a member or a ``@group`` of members that does not exist."""
    if not target:
        return
    if not api.clustered:
        raise InvalidError("target: the server is not clustered; omit it")
    kind_name = "cluster_group" if str(target).startswith("@") else "cluster_member"
    if not _exists(api, kind_name, str(target).lstrip("@")):
        raise InvalidError(f"target: {KINDS[kind_name].label} {str(target).lstrip('@')} does not exist")


def plan_create(
    api, name, declared, source, timeout=None, target=None, shared=True, running=False, replace_partial=False
) -> list[Step]:
    """
    Return the steps that create an instance.

    source
        The result of :func:`lxdapi.instances.sources.parse_source`.
    shared
        True: if somebody else creates it meanwhile, update it as declared. False: raise in that case.
    running
        True: also start it, by the same request if the daemon can (API extension instance_create_start).
    replace_partial
        See :func:`create`.

    The daemons overwrite ``image.*`` keys and the architecture with those of the image (all three). The declared
    ones are written afterwards.
    """
    sources.require_declared(source)
    require_target(api, target)
    source = servers.resolve(api, source)
    start = power.plan_transition(api, name, "Stopped", "Running") if running else []
    source_type = source["type"]
    if source_type == "backup":
        # few need it, and with tarfile it takes 2 ms
        from lxdapi.instances import backups

        return backups.plan_create(api, name, source, declared, timeout, target) + start
    needs_follow_up = _needs_follow_up(declared, source_type)
    starts_at_once = bool(start) and not needs_follow_up and source_type == "image" and api.has(_START)
    act, extra = _create_or_adopt if shared else create, {"start": True} if starts_at_once else None
    apply = partial(act, api, name, declared, source, timeout, extra, target, replace_partial)
    creation = Step("created", {"created": name}, apply, "", partial(missing_prerequisites, api, declared, source))
    if starts_at_once:
        return _plan_create_started(api, name, creation, *start)
    return [creation] + (converge.plan_follow_up(api, KIND, name, declared) if needs_follow_up else []) + start


def _needs_follow_up(declared, source_type):
    """Return True if the daemon overwrites what is declared, or adds keys that are declared absent."""
    config = declared.get("config") or {}
    is_overwritten = "architecture" in declared or any(key.startswith("image.") for key in config)
    # those of an OCI image
    is_added = any(key.startswith("oci.") and value is None for key, value in config.items())
    return is_overwritten or is_added or (source_type == "copy" and bool(converge.removals(declared)))


def _plan_create_started(api, name, creation, start) -> list[Step]:
    """Return the steps for an instance that its create request also starts; the second reports that start."""
    actual, error = None, None

    def create_it():
        nonlocal actual, error
        try:
            actual = creation.apply()
        except APIException as exc:
            if not exc.created:
                raise
            error = exc
        return actual

    def start_it():
        if error is not None:
            power.wait_after_failed_start(api, name)
            if not retry.is_busy(error):
                power.add_reason_of_failed_start(api, name, error)
                raise error
            return steps.apply(
                power.plan_transition(api, name, power.status(power.wait_until_stable(api, name)), "Running")
            )
        if actual is None:
            return None
        status = power.status(power.wait_until_stable(api, name))
        if status == "Running" and actual == creation.changes:  # the reply was lost, but the request was ours
            return None
        return steps.apply(power.plan_transition(api, name, status, "Running"))

    return [creation._replace(apply=create_it), start._replace(apply=start_it)]


def missing_prerequisites(api, declared, source=sources.UNDECLARED):
    """Return which declared project, image, profiles, networks and storage pools do not exist, "" if all do."""
    if objects.missing_project_reason(api):
        return f"project {api.project} does not exist"
    needed = sources.needed_images(source) + [("profile", name) for name in declared.get("profiles") or ()]
    for device in (declared.get("devices") or {}).values():
        needed += [(kind_name, device[key]) for kind_name, key in _NEEDS.items() if device and device.get(key)]
    missing = [f"{KINDS[each].label} {name}" for each, name in dict.fromkeys(needed) if not _exists(api, each, name)]
    return f"{', '.join(missing)} {'does' if len(missing) == 1 else 'do'} not exist" if missing else ""


def _exists(api, kind_name, name):
    return objects.read(api, KINDS[kind_name], name) is not None
