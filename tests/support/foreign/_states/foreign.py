"""
A foreign writer: raw requests between two states of a run, past the code under test.
"""

from tests.support.rest import Refused, Rest


def asks(name, socket, method, path, body=None):
    """
    Send a raw request and ignore errors of the daemon.

    name
        Name of the state.
    socket, method, path, body
        The request.
    """
    try:
        Rest(socket).ask(method, path, body)
    except Refused as exc:
        return {"name": name, "result": True, "changes": {}, "comment": str(exc)}
    return {"name": name, "result": True, "changes": {}, "comment": "done"}
