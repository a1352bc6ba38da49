"""
Facts about the data of an instance: its console, logs, metadata, templates and metrics.
"""

import http.client

from tests.support.daemons import until
from tests.support.rest import UnixConnection

CONSOLE, METADATA = "instances/c1/console?type=log", "instances/c1/metadata"


def shown(asked, word):
    """Write a word to the console of c1, which is running."""
    body = {"command": ["sh", "-c", f"echo {word} > /dev/console"], "record-output": False}
    asked.do("POST", "instances/c1/exec", body)


def bytes_of(asked, path, **headers):
    """Return (status, body) of a GET."""
    connection = UnixConnection(asked.daemon.socket, 60)
    try:
        connection.request("GET", f"/1.0/{path}", headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    except http.client.HTTPException as exc:
        return type(exc).__name__, b""
    finally:
        connection.close()


def console_of_nothing(asked):
    asked.empty()
    return bytes_of(asked, CONSOLE)[0]


def log_absent(asked):
    asked.empty()
    return asked.status("GET", "instances/c1/logs/migration_dump.log")


def state_of_a_disk(asked):
    asked.empty()
    return asked.read("instances/c1/state")["disk"]


def header_without_document(asked):
    asked.empty()
    return asked.status("PATCH", "instances/c1", {"config": {"cloud-init.vendor-data": "#cloud-config\n"}})


def read_console(asked):
    """Return the output of the console, which the daemon gets later than the command ends."""
    answers = []
    assert until(lambda: answers.append(bytes_of(asked, CONSOLE)) or answers[-1][0] == 200 and answers[-1][1], 10), (
        answers
    )
    return answers[-1][1]


def console_read_once(asked):
    asked.instance()
    asked.do("PUT", "instances/c1/state", {"action": "start"})
    found = []
    for word in ("one", "two"):
        shown(asked, word)
        found.append(read_console(asked))
    status, body = bytes_of(asked, CONSOLE)
    return found, body if status == 200 else b""


def log_range(asked):
    asked.instance()
    asked.do("PUT", "instances/c1/state", {"action": "start"})
    whole = bytes_of(asked, "instances/c1/logs/lxc.log")[1]
    return bytes_of(asked, "instances/c1/logs/lxc.log", Range="bytes=-7") == (206, whole[-7:])


def metadata_stale(asked):
    asked.instance()
    body = {**asked.read(METADATA), "expiry_date": 5}
    return asked.stale(METADATA, body), asked.read(METADATA)["expiry_date"]


def metadata_merged(asked):
    asked.instance()
    before = asked.read(METADATA)["properties"]
    asked.do("PATCH", METADATA, {"properties": {"a": "1", "os": ""}})
    return asked.read(METADATA)["properties"] == {**before, "a": "1", "os": ""}


def template_put(asked):
    asked.empty()
    return asked.status("PUT", "instances/c1/metadata/templates?path=a.tpl", {})


def network_config_schema(asked):
    asked.empty()
    return [
        asked.status("PATCH", "instances/c1", {"config": {"cloud-init.network-config": text}})
        for text in ("version: 9\nethernets: 5\n", "[1]", "a: [")
    ]


# question: the answers of LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2
DIFFERS = {
    console_of_nothing: (500, 200, 200),
    log_absent: (500, 404, 404),
    state_of_a_disk: ({}, {}, {"root": {"usage": -1, "total": 0}}),
    header_without_document: (200, 200, 500),
}
# question: the answer of all daemons
ALIKE = {
    console_read_once: ([b"one\r\n", b"two\r\n"], b""),
    log_range: True,
    metadata_stale: (200, 5),
    metadata_merged: True,
    template_put: 501,
    network_config_schema: [200, 500, 500],
}
