"""
Facts about commands inside instances.
"""

RECORDED = {"interactive": False, "wait-for-websocket": False, "record-output": True}


def executed(asked, *command, **fields):
    """Return the operation of a command with recorded output."""
    asked.instance()
    asked.do("PUT", "instances/c1/state", {"action": "start"})
    return asked.do("POST", "instances/c1/exec", {"command": command, **RECORDED, **fields})


def exec_in_no_folder(asked):
    return executed(asked, "test", "/", "-ef", ".", cwd="/nowhere")["return"]


# question: the answers of LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2
DIFFERS = {}
# question: the answer of all daemons
ALIKE = {
    exec_in_no_folder: 0,
}
