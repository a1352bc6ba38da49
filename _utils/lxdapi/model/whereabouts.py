"""
Where in a cluster something is that cannot be read, in words.

The instances of a member that died cannot be read: the daemons answer 500, LXD 5.0.2 and Incus 6.0.4 after 10 s.
The list of all instances is there as before, and has them with the status ``Error`` (all three).
"""

import copy
import re

from lxdapi.errors import APIException, APINotFoundException, APITimeoutException, LxdapiError
from lxdapi.http import retry
from lxdapi.model.kinds import KINDS

_INSTANCE = re.compile(r"instances/([^/]+)")
_BRIEF_SECONDS = 3


def get(api, path):
    """
    Return the result of the GET of an object, None if the daemon says 404.

    A failure in a cluster says as well where the object is, and whether that member answers.
    """
    try:
        return _brief(api, path) if _INSTANCE.match(path) else api.get(path)
    except APINotFoundException:
        return None


def _brief(api, path):
    """
    Return the result of the GET of an instance; what is on a silent member is not tried as long as what else is "not
    ready yet", which is what Incus 6.0.4 says of it too, 20 s after the member died.
    """
    brief = copy.copy(api)
    brief.link, brief.retry_timeout = copy.copy(api.link), min(api.retry_timeout, _BRIEF_SECONDS)
    try:
        found = brief.get(path)
    except APINotFoundException:
        api.link.settled()
        raise
    except APIException as exc:
        words = _words(api, path, exc)
        if words:
            raise type(exc)(exc.result, f"{exc.error}; {words}", exc.method, exc.url) from exc
        fleeting = api.link.answered if retry.is_unsent(exc) else retry.is_busy(exc) or retry.is_broken(exc)
        if brief.retry_timeout == api.retry_timeout or not fleeting:
            raise
        return api.get(path)
    api.link.settled()
    return found


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
