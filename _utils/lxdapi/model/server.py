"""
What the server's own configuration needs beyond the table: a PATCH of it that fails does not leave it as it was.

On Incus 6.0.4 the failure erases what the PATCH does not name; LXD 5.0.2 keeps what failed, such as an address that
it cannot listen on, and then does not start any more.
"""

from lxdapi.errors import APIException


def touched(kind, current, delta):
    """Return what a PATCH sends of the difference, with the keys that it has to repeat."""
    config = _shown(current)
    # on LXD 5.0.2 "" is false, also where the default is true
    assumed = kind.assumed if current.metadata["environment"]["server"] == "lxd" else {}
    changed = {
        key: value or ("true" if assumed.get(key) == "true" else "") for key, value in delta.touched["config"].items()
    }
    return {**delta.touched, "config": {**config, **changed}}


def put_back(api, kind, before, delta):
    """Give the server the values again that it had before a change that it refused."""
    try:
        now = _shown(api.get(kind.path))
        old = _shown(before)
        kept = {key: old.get(key, "") for key in delta.touched["config"] if now.get(key) != old.get(key)}
        if kept:
            api.patch(kind.path, json={"config": {**now, **kept}})
    except APIException:
        pass  # the refusal is what is told


def _shown(current):
    """Return the config without what cannot be sent: a password's place has True, and it is kept as it is."""
    shown = {key: value for key, value in (current.metadata["config"] or {}).items() if isinstance(value, str)}
    return {key: value for key, value in shown.items() if not key.startswith("volatile.")}
