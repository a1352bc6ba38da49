"""
Membership in a cluster: enable a cluster or join one; evacuate, restore and remove members.
"""

import copy
from functools import partial

from lxdapi import validation
from lxdapi.cluster import join_token
from lxdapi.errors import APINotFoundException, APIOperationException, InvalidError, list_some
from lxdapi.http import endpoints, retry
from lxdapi.model import objects, writes
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan, Step

KIND = KINDS["cluster_member"]
# action: (status before it, status after it, verb of the step)
_ACTIONS = {"evacuate": ("Online", "Evacuated", "evacuated"), "restore": ("Evacuated", "Online", "restored")}
# (action, option): the API extension that it needs
_EXTENSIONS = {
    ("evacuate", "mode"): "clustering_evacuation_mode",
    ("evacuate", "force"): "clustering_evacuation_force",
    ("restore", "mode"): "clustering_restore_skip_mode",
}


def plan_enable(api, name, address=None, timeout=None) -> Plan:
    """
    Return the steps that make this server the first member of a cluster, under this name.

    address
        ``HOST[:PORT]`` at which the other members reach it. Default: the address where it listens.
    """
    timeout = _validate(name, timeout)
    if _is_clustered_now(api):
        return _require_same_member(api, name, address)
    settings = {"config": {"cluster.https_address": address}}
    address_steps = list(converge.plan_present(api, "server", "server", settings)) if address else []
    return Plan.of(
        [
            *address_steps,
            _plan_step(name, "made the first member of a cluster", lambda: _put_cluster(api, name, {}, timeout)),
        ]
    )


def plan_join(api, name, token=None, address=None, member_config=None, timeout=None) -> Plan:
    """
    Return the step that joins this server to the cluster of a token.

    address
        ``HOST[:PORT]`` at which the other members reach this one. Default: the address where it listens.
    member_config
        Its own config of the cluster's pools and networks: see :func:`lxdapi.cluster.join_token.member_config`.
    """
    timeout, parsed_config = _validate(name, timeout), join_token.member_config(member_config)
    if _is_clustered_now(api):
        return _require_same_member(api, name, address)
    text, facts = join_token.decode(api, name, token)

    def join():
        cluster, certificate = join_token.connect_first(facts)
        body = {"cluster_address": cluster, "cluster_certificate": certificate, "member_config": parsed_config}
        _put_cluster(api, name, {**body, "server_address": address or "", _token_field(api): text}, timeout)

    return Plan.of([_plan_step(name, "joined to the cluster", join)])


def _validate(name, timeout):
    validation.check("token", "cluster member", name)
    return validation.parse_seconds(timeout)


def _is_clustered_now(api):
    """Return True if the server is a member of a cluster, read again: it may have joined one meanwhile."""
    api.forget()
    return api.clustered


def _plan_step(name, verb, act) -> Step:
    return Step(verb, {"member": {"old": None, "new": name}}, act)


def _token_field(api):
    """Return the name of the field for the token: old LXD takes it as the password."""
    return "cluster_token" if api.dialect == "Incus" or api.has("explicit_trust_token") else "cluster_password"


def _put_cluster(api, name, body, timeout):

    def put():
        api.put("cluster", json={"server_name": name, "enabled": True, **body}).wait(timeout)

    retry.write_verified(api, put, lambda: True if _is_clustered_now(api) else None)
    api.forget()


def _require_same_member(api, name, address) -> Plan:
    """Return a plan without steps if this is a member with this name and address, otherwise raise."""
    actual_name = api.get("cluster").metadata["server_name"]
    if actual_name != name:
        raise InvalidError(f"the server is already a member of a cluster, with the name {actual_name}")
    actual_address = (api.server.get("config") or {}).get("cluster.https_address")
    if address and actual_address and _with_port(address) != _with_port(actual_address):
        raise InvalidError(f"the cluster address is {actual_address} and cannot be changed to {address}")
    return Plan()


def _with_port(address):
    return endpoints.base_url(f"https://{address}")


def list_members(api):
    """Return ``{name: {"status", "message", "roles"}}`` of all members."""
    listed = api.get(KIND.collection, params={"recursion": 1}).metadata
    return {member["server_name"]: {key: member[key] for key in ("status", "message", "roles")} for member in listed}


def create_token(api, name):
    """Return a new token with which a server can join under this name."""
    validation.check("token", "cluster member", name)
    return join_token.encode(api, api.post(KIND.collection, json={"server_name": name}).metadata)


def list_tokens(api):
    """Return ``{name: {"expires_at": time}}`` of the unused tokens, without their secrets."""
    return {
        operation["metadata"]["serverName"]: {"expires_at": operation["metadata"]["expiresAt"]}
        for operation in _token_operations(api)
    }


def revoke(api, name):
    """Revoke the tokens of a name and return the changes."""
    api, changes = _above_projects(api), {}
    for operation in _token_operations(api):
        if operation["metadata"]["serverName"] == name:
            try:
                api.delete(f"operations/{operation['id']}")
            except APINotFoundException:
                continue
            changes = {"revoked": name}
    return changes


def _above_projects(api):
    """Return the API without its project: tokens belong to no project, and only the default one lists them."""
    other = copy.copy(api)
    other.project = None
    return other


def _token_operations(api):
    """Return the operations that stand for unused join tokens; the daemon cancels the operation of a used one."""
    by_status = _above_projects(api).get("operations", params={"recursion": 1}).metadata or {}
    listed = [operation for operation in by_status.get("running") or () if operation["class"] == "token"]
    return [operation for operation in listed if "serverName" in (operation["metadata"] or {})]


def plan_member_action(api, name, action, mode=None, force=False, timeout=None) -> Plan:
    """
    Return the step that evacuates or restores a member.

    action
        ``evacuate`` or ``restore``.
    mode
        How to evacuate or restore the instances: one of the daemon's modes. Default: the setting of each instance.
    force
        True: evacuate even if the remaining members have no quorum.
    """
    before, goal, verb = _ACTIONS[action]
    timeout = validation.parse_seconds(timeout)
    result = objects.read(api, KIND, name)
    options = {"mode": mode} if mode else {}
    options.update({"force": True} if validation.flag("force", force) else {})
    _require_no_options(api, action, options)
    if result is None:
        raise InvalidError(f"it does not exist: {KIND.create.hint}")
    status = result.metadata["status"]
    if status == goal:
        return Plan(summary=verb)
    if status != before:
        raise InvalidError(f"expected a member that is {before}, but it is {status}: {result.metadata['message']}")
    body = {"action": action, **options}
    apply = partial(_run_action, api, name, body, goal, timeout)
    return Plan.of([Step(verb, {"status": {"old": status, "new": goal}}, apply)])


def _require_no_options(api, action, options):
    for option in options:
        extension = _EXTENSIONS[action, option]
        if not api.has(extension):
            raise InvalidError(f"{option}: the daemon does not support it: it lacks the API extension {extension}")


def _run_action(api, name, body, goal, timeout):
    """Evacuate or restore a member; returns {} if somebody else did it meanwhile."""
    path = objects.path_of(KIND, name)

    def post():
        api.post(f"{path}/state", json=body, **writes.write_timeout(api, KIND)).wait(timeout)

    try:
        retry.write_verified(api, post, lambda: True if api.get(path).metadata["status"] == goal else None)
    except APIOperationException as exc:
        if "already" in exc.error and api.get(path).metadata["status"] == goal:
            return {}
        raise
    return None


def plan_remove(api, name, force=False) -> Plan:
    """
    Return the steps that remove a member; raises :class:`InvalidError` for the member of this connection: LXD 5.0.2
    would lose the leader of its database, Incus 6.0.4 the connection.
    """
    if api.clustered and api.server["environment"].get("server_name") == name:
        raise InvalidError("lxdapi is connected to this member: use a remote of another member to remove it")
    plan = converge.plan_absent(api, "cluster_member", name, force)
    return plan.with_steps(step._replace(missing=partial(_instances_note, api, name)) for step in plan)


def _instances_note(api, name):
    """Return a note that names the instances of a member, which keep it in the cluster; "" without instances."""
    listed = api.get(KINDS["instance"].collection, params={"recursion": 1, "all-projects": "true"}).metadata or ()
    names = sorted(each["name"] for each in listed if each.get("location") == name)
    return f"it has the instances {list_some(names)}: move or delete them first" if names else ""
