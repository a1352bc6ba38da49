"""
Where in a cluster something is that cannot be read, in words.

The instances of a member that died cannot be read: the daemons answer 500, LXD 5.0.2 and Incus 6.0.4 after 10 s.
The list of all instances is there as before, and has them with the status ``Error`` (all three).
"""

import re

from lxdapi_errors import APIException, APINotFoundException, APITimeoutException, LxdapiError
from lxdapi_kinds import KINDS

_INSTANCE = re.compile(r"instances/([^/]+)")


def get(api, path):
    """
    Return the result of the GET of an object, None if the daemon says 404.

    A failure in a cluster says as well where the object is, and whether that member answers.
    """
    try:
        return api.get(path)
    except APINotFoundException:
        return None
    except APIException as exc:
        words = _words(api, path, exc)
        if not words:
            raise
        raise type(exc)(exc.result, f"{exc.error}; {words}", exc.method, exc.url) from exc


def _words(api, path, exc):
    """Return in words what a failure does not say by itself, "" for nothing."""
    found = _INSTANCE.match(path)
    if not found or not (isinstance(exc, APITimeoutException) or (exc.status or 0) >= 500):
        return ""
    try:
        return _where(api, found[1]) if api.clustered else ""
    except LxdapiError:
        return ""


def _where(api, name):
    listed = api.get(KINDS["instance"].collection, params={"recursion": 1}).metadata
    found = next((each for each in listed if each["name"] == name), None)
    if found is None:
        return ""
    words = f"it is on the cluster member {found['location']}"
    return f"{words}, {_silence(api, found['location'])}" if found["status"] == "Error" else words


def _silence(api, member):
    """Return in words that a member does not answer; the cluster itself sees it after 20 s."""
    members = api.get(KINDS["cluster_member"].collection, params={"recursion": 1}).metadata
    found = next((each for each in members if each["server_name"] == member), {})
    return f"which is offline: {found['message']}" if found.get("status") == "Offline" else "which does not answer"
