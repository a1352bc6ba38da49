"""
Plans of instances as a test declares them.
"""

from lxdapi.instances import plan
from lxdapi.instances.spec import InstanceSpec


def present(api, name, wanted, source=None, running=None, restart_on_change=False, **more):
    """Return the plan for an instance with these fields; ``more`` are further parameters of the state."""
    spec = InstanceSpec.parse(wanted, source=source, running=running, restart_on_change=restart_on_change, **more)
    return plan.plan_present(api, name, spec)
