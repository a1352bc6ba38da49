"""
Usage figures that the daemon measures for instances.
"""

from lxdapi.instances import rest_files

# The daemon's value for a figure that it cannot measure, such as the disk on a dir pool (Incus 7.0.2).
_UNMEASURED = -1


def read_metrics(api, name=None):
    """
    Return the usage figures of an instance.

    name
        Default: ``{name: figures}`` of all instances in the project, with one request.
    """
    if name is not None:
        return _parse_state(api.get(rest_files.subpath(name, "state")).metadata)
    listed = api.get(rest_files.KIND.collection, params={"recursion": 2}).metadata
    return {each["name"]: _parse_state({"status": each.get("status"), **(each.get("state") or {})}) for each in listed}


def _parse_state(state):
    return {
        "status": state.get("status"),
        "pid": state.get("pid") or 0,
        "processes": max(state.get("processes") or 0, 0),
        "cpu": _numbers(state.get("cpu")),
        "memory": _numbers(state.get("memory")),
        "disk": {name: _numbers(facts) for name, facts in (state.get("disk") or {}).items()},
        "network": {name: _interface(facts) for name, facts in (state.get("network") or {}).items()},
    }


def _numbers(facts):
    return {key: None if value == _UNMEASURED else value for key, value in (facts or {}).items()}


def _interface(facts):
    addresses = [f"{each['address']}/{each['netmask']}" for each in facts.get("addresses") or ()]
    kept = {key: facts.get(key) for key in ("type", "state", "hwaddr", "host_name", "mtu")}
    return {"addresses": addresses, **kept, **(facts.get("counters") or {})}
