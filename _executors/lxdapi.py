"""
The executor of the proxy minion ``lxdapi``: it runs functions inside the instance, except for those that concern the
proxy minion itself.
"""

import salt.minion

# Their jobs concern the connection to the master. All other functions run inside.
_OF_PROXY = ("beacons", "event", "mine", "saltutil", "schedule")
_RELOAD = "sys.reload_modules"


def __virtual__():
    return (__opts__.get("proxy") or {}).get("proxytype") == "lxdapi", "only for proxy minions of the type lxdapi"


def execute(opts, data, func, args, kwargs):
    """Return the result of the function of a job."""
    name = data["fun"]
    if name == "test.ping":
        return __salt__["lxdapi_target.ping"](opts["id"])
    if callable(func) and (name.partition(".")[0] in _OF_PROXY or name == _RELOAD):
        return func(*args, **kwargs)
    if not callable(func):  # this machine lacks it: Salt has not read the arguments
        args, kwargs = salt.minion.load_args_and_kwargs(_anything, data["arg"])
    own = {key: value for key, value in kwargs.items() if not key.startswith("__")}
    return __salt__["lxdapi_target.call"](opts["id"], name, list(args), own)


def allow_missing_func(function):
    """Return True: the function may exist inside."""
    return True


def _anything(*args, **kwargs):
    """Stand in for a function that takes any arguments."""
