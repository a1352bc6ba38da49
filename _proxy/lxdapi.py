"""
The proxy minion of an instance of LXD or Incus: each function and each state that Salt sends to it runs inside the
instance, which needs no Salt, no Python and no network.

The pillar of the proxy minion declares it: ``proxy: {proxytype: lxdapi}``, with ``instance``, ``remote``, ``project``
and ``python`` if they are not the minion id and the defaults.
"""

import logging

from salt.exceptions import SaltException

__proxyenabled__ = ["lxdapi"]
log = logging.getLogger(__name__)

# The modules that the proxy minion loads for jobs. Its executor also sends most of their functions to the instance.
OWN = ("beacons", "config", "event", "lxdapi_target", "mine", "saltutil", "schedule", "status", "sys")


def __virtual__():
    return (__opts__.get("proxy") or {}).get("proxytype") == "lxdapi", "only for proxy minions of the type lxdapi"


def module_executors():
    """Return the executor that runs functions inside the instance."""
    return ["lxdapi"]


def init(opts):
    """
    Keep the functions of this machine away from the jobs of the instance: a job with several functions, the scheduler
    and the mine call functions without the executor.
    """
    opts["whitelist_modules"] = list(OWN)
    opts["module_executors"] = module_executors()
    # deltaproxy has loaded the functions, and asks for no executors
    functions = __salt__.value() if hasattr(__salt__, "value") else __salt__
    functions.whitelist = list(OWN)
    functions.clear()
    __context__["lxdapi_initialized"] = True


def initialized():
    """Return whether :func:`init` was called."""
    return __context__.get("lxdapi_initialized", False)


def shutdown(opts):
    """End nothing: each job ends its own Salt inside the instance."""
    __context__["lxdapi_initialized"] = False


def ping():
    """Return True if the instance runs."""
    return __salt__["lxdapi_target.ping"](__opts__["id"])


def grains():
    """Return the grains of the instance, as Salt finds them inside; without a running instance only its name."""
    try:
        return __salt__["lxdapi_target.call"](__opts__["id"], "grains.items")
    except SaltException as exc:
        log.warning("lxdapi: the grains of %s are unknown: %s", __opts__["id"], exc)
        return __salt__["lxdapi_target.grains"]()[__opts__["id"]]
