"""
Who belongs to a cluster, and who is at work in it: a server enables a cluster or joins one, a member is evacuated,
restored and removed.
"""

import copy
from functools import partial

from lxdapi import validation
from lxdapi.cluster import join_token
from lxdapi.errors import APINotFoundException, APIOperationException, InvalidError
from lxdapi.http import endpoints, retry
from lxdapi.model import objects, writes
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan, Step

KIND = KINDS["cluster_member"]
# action: (the status that it leads from, the one that it leads to, what is done by it)
_ACTIONS = {"evacuate": ("Online", "Evacuated", "evacuated"), "restore": ("Evacuated", "Online", "restored")}
# (action, field): the API extension that it needs
_EXTENSIONS = {
    ("evacuate", "mode"): "clustering_evacuation_mode",
    ("evacuate", "force"): "clustering_evacuation_force",
    ("restore", "mode"): "clustering_restore_skip_mode",
}


def plan_enable(api, name, address=None, timeout=None):
    """
    Return the steps to a cluster whose first member is this server, under this name.

    address
        ``HOST[:PORT]`` at which the other members reach it; None: that at which it listens.
    """
    timeout = _validate(name, timeout)
    if _is_clustered_now(api):
        return _require_same_member(api, name, address)
    where = {"config": {"cluster.https_address": address}}
    listening = list(converge.plan_present(api, "server", "server", where)) if address else []
    return [*listening, _plan_step(name, "made a cluster", lambda: _put_cluster(api, name, {}, timeout))]


def plan_join(api, name, token=None, address=None, member_config=None, timeout=None):
    """
    Return the step to the membership of this server in the cluster that a token is from.

    address
        ``HOST[:PORT]`` at which the other members reach this one; None: that at which it listens.
    member_config
        What it has of its own of the cluster's pools and networks: see :func:`lxdapi.cluster.join_token.member_config`.
    """
    timeout, own = _validate(name, timeout), join_token.member_config(member_config)
    if _is_clustered_now(api):
        return _require_same_member(api, name, address)
    text, found = join_token.decode(api, name, token)

    def act():
        cluster, certificate = join_token.connect_first(found)
        body = {"cluster_address": cluster, "cluster_certificate": certificate, "member_config": own}
        _put_cluster(api, name, {**body, "server_address": address or "", _token_field(api): text}, timeout)

    return [_plan_step(name, "joined to the cluster", act)]


def _validate(name, timeout):
    validation.check("token", "cluster member", name)
    return validation.parse_seconds(timeout)


def _is_clustered_now(api):
    """Return True if the server is a member of a cluster now: it may have become one since it was asked."""
    api.forget()
    return api.clustered


def _plan_step(name, done, act):
    return Step(done, {"member": {"old": None, "new": name}}, act)


def _token_field(api):
    """Return what the token is called: of old LXD takes it in the place of a password."""
    return "cluster_token" if api.dialect == "Incus" or api.has("explicit_trust_token") else "cluster_password"


def _put_cluster(api, name, body, timeout):

    def put():
        api.put("cluster", json={"server_name": name, "enabled": True, **body}).wait(timeout)

    retry.write_verified(api, put, lambda: True if _is_clustered_now(api) else None)
    api.forget()


def _require_same_member(api, name, address):
    """Return a plan without steps for a member of this name; raises for one of another name or address."""
    own = api.get("cluster").metadata["server_name"]
    if own != name:
        raise InvalidError(f"it is a member of a cluster already, under the name {own}")
    there = (api.server.get("config") or {}).get("cluster.https_address")
    if address and there and _with_port(address) != _with_port(there):
        raise InvalidError(f"its address in the cluster is {there} and cannot be changed to {address}")
    return Plan()


def _with_port(address):
    return endpoints.base_url(f"https://{address}")


def list_members(api):
    """Return ``{name: {"status", "message", "roles"}}`` of all members."""
    found = api.get(KIND.collection, params={"recursion": 1}).metadata
    return {each["server_name"]: {key: each[key] for key in ("status", "message", "roles")} for each in found}


def create_token(api, name):
    """Return a new token with which a server can join under this name."""
    validation.check("token", "cluster member", name)
    return join_token.encode(api, api.post(KIND.collection, json={"server_name": name}).metadata)


def list_tokens(api):
    """Return ``{name: {"expires_at": time}}`` of the tokens that were not used, without their secrets."""
    return {
        each["metadata"]["serverName"]: {"expires_at": each["metadata"]["expiresAt"]} for each in _token_operations(api)
    }


def revoke(api, name):
    """Make the tokens of a name useless and return what changed."""
    api, done = _above_projects(api), {}
    for each in _token_operations(api):
        if each["metadata"]["serverName"] == name:
            try:
                api.delete(f"operations/{each['id']}")
            except APINotFoundException:
                continue
            done = {"revoked": name}
    return done


def _above_projects(api):
    """Return the API without its project: tokens are in none, and not listed for one that is not the default."""
    other = copy.copy(api)
    other.project = None
    return other


def _token_operations(api):
    """Return the operations that are tokens for a server that joins; one that was used is cancelled."""
    found = _above_projects(api).get("operations", params={"recursion": 1}).metadata or {}
    listed = [each for each in found.get("running") or () if each["class"] == "token"]
    return [each for each in listed if "serverName" in (each["metadata"] or {})]


def plan_member_action(api, name, action, mode=None, force=False, timeout=None):
    """
    Return the step to a member that is evacuated, or at work again.

    action
        ``evacuate`` or ``restore``.
    mode
        What is done with the instances, in the daemon's words; None: as each is configured.
    force
        True: evacuated also where too few members would be left to agree on anything.
    """
    before, goal, done = _ACTIONS[action]
    timeout = validation.parse_seconds(timeout)
    current = objects.read(api, KIND, name)
    options = {"mode": mode} if mode else {}
    options.update({"force": True} if validation.truth("force", force or False) else {})
    _require_no_options(api, action, options)
    if current is None:
        raise InvalidError(f"there is none: {KIND.create.hint}")
    here = current.metadata["status"]
    if here == goal:
        return Plan(summary=done)
    if here != before:
        raise InvalidError(f"it is {here}: {current.metadata['message']}")
    body = {"action": action, **options}
    return [Step(done, {"status": {"old": here, "new": goal}}, partial(_act, api, name, body, goal, timeout))]


def _require_no_options(api, action, options):
    for option in options:
        extension = _EXTENSIONS[action, option]
        if not api.has(extension):
            raise InvalidError(f"{option}: the daemon has none: it lacks the API extension {extension}")


def _act(api, name, body, goal, timeout):
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


def plan_remove(api, name, force=False):
    """
    Return the steps to the absence of a member; raises :class:`InvalidError` for the one that is talked to: LXD 5.0.2
    loses the leader of its database by it, Incus 6.0.4 the connection.
    """
    if api.clustered and api.server["environment"].get("server_name") == name:
        raise InvalidError("it is the member that is talked to: another one has to be asked for it")
    return converge.plan_absent(api, "cluster_member", name, force)
