"""
Plans that make an instance a minion, and that accept the key of one.
"""

from functools import partial

from lxdapi.errors import InvalidError
from lxdapi.files import content, plan, queries
from lxdapi.files.spec import FileSpec
from lxdapi.files.target import Target
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import steps
from lxdapi.plan.steps import Plan, Step
from lxdapi.salt_inside.session import require_running
from lxdapi.salt_minion import install
from lxdapi.salt_minion.master import ACCEPTED, PENDING, is_same
from lxdapi.salt_minion.spec import parse_id

PKI, CONFIG = "/etc/salt/pki/minion", "/etc/salt/minion.d/lxdapi.conf"


def plan_minion(api, master, spec) -> Plan:
    """
    Return the steps that make a running instance a minion of the master, and wait until it answers.

    master
        A :class:`lxdapi.salt_minion.master.Master`.
    spec
        A :class:`lxdapi.salt_minion.spec.MinionSpec`.
    """
    require_running(spec.instance, api.get(objects.path_of(KINDS["instance"], spec.instance)))
    planned = [
        *_plan_key(api, master, spec),
        # its settings may be secret
        *(
            step._replace(verb="configured", changes={"config": step.changes})
            for step in plan.plan_file(_target(api, spec.instance, CONFIG), content.Content(spec.config), _spec("0640"))
        ),
        *install.plan_install(api, spec.instance, spec.package, spec.seconds),
    ]
    if planned or not master.can_reach(spec.minion_id):
        planned.append(Step("started", {"started": spec.minion_id}, partial(_start, api, master, spec)))
    return Plan.of(planned)


def _start(api, master, spec):
    install.start(api, spec.instance, spec.seconds)
    master.wait_for(spec.minion_id, spec.seconds)


def plan_accepted_key(api, master, instance, minion_id) -> Plan:
    """Return the steps that accept the pending key of a minion if the instance has the same one."""
    minion_id, inside = parse_id(minion_id), _read_public_key(api, instance)
    if inside is None:
        raise InvalidError(f"instance {instance} has no {PKI}/minion.pub: has its minion ever been started?")
    known = master.keys(minion_id)
    if is_same(known.get(ACCEPTED), inside):
        return Plan(summary="accepted")
    if not is_same(known.get(PENDING), inside):
        raise InvalidError(_difference(instance, minion_id, known))
    return Plan.of([_acceptance(master, minion_id, inside)])


def _acceptance(master, minion_id, public_key):
    change = {"key": {"old": "pending", "new": "accepted"}}
    return Step("accepted", change, partial(master.accept_key, minion_id, public_key))


def _difference(instance, minion_id, known):
    states = ", ".join(f"salt-key lists it under {state}" for state in known)
    if not known:
        return f"the master has no key of the minion {minion_id}: does the minion know the address of its master?"
    return f"the key of the minion {minion_id} on the master is not the one in the instance {instance} ({states})"


def _plan_key(api, master, spec) -> list[Step]:
    """Return the steps to a key pair in the instance whose public key the master has accepted."""
    inside, known = _read_public_key(api, spec.instance), master.keys(spec.minion_id)
    if is_same(known.get(ACCEPTED), inside):
        return []
    if is_same(known.get(PENDING), inside):
        return [_acceptance(master, spec.minion_id, inside)]
    if not spec.force and known:
        raise InvalidError(f"{_difference(spec.instance, spec.minion_id, known)}; set force: true to replace it")
    if not spec.force and inside is not None:
        raise InvalidError(
            f"the instance {spec.instance} has the key of a minion that the master does not know; set force: true to "
            "replace it"
        )
    change = {"key": {"old": "another" if known or inside is not None else None, "new": "accepted"}}
    return [Step("given a key", change, partial(_create_key, api, master, spec))]


def _create_key(api, master, spec):
    """Create and accept the key pair before the minion starts; if it cannot be placed, it is deleted again."""
    if spec.force:
        master.delete_keys(spec.minion_id)
    master_key, pair = master.public_key, master.create_key(spec.minion_id)
    files = {"minion.pem": (pair["priv"], "0400"), "minion.pub": (pair["pub"], "0644")}
    if master_key:
        files["minion_master.pub"] = (master_key, "0644")
    try:
        steps.apply(plan.plan_directory(_target(api, spec.instance, PKI), _spec("0700")))
        for name, (text, mode) in files.items():
            target = _target(api, spec.instance, f"{PKI}/{name}")
            steps.apply(plan.plan_file(target, content.Content(text.encode()), _spec(mode)))
    except BaseException:
        master.delete_keys(spec.minion_id)
        raise


def _read_public_key(api, instance):
    """Return the public key of the minion in an instance, None without one."""
    target = _target(api, instance, f"{PKI}/minion.pub")
    return queries.read(target) if queries.stat(target) else None


def _target(api, instance, path):
    return Target.parse(lambda: api, instance, path)


def _spec(mode):
    return FileSpec.parse(mode=mode, makedirs=True, show=False)
