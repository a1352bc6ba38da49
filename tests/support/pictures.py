"""
The pictures of docs/: terminals with the output of lxdapi on a private daemon, and the graph of its host. As a command:
scripts/make-pictures
"""

import re
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text
from salt import output

from tests.support.daemons import Daemon
from tests.support.images import busybox_image
from tests.support.loader import REPO, Loaded

WIDTH = 100


def main(folder):
    """Write the pictures to the folder."""
    with ExitStack() as stack:
        daemon = Daemon.in_new_directory("incus")
        stack.callback(daemon.remove)
        stack.callback(daemon.stop)
        daemon.start().preseed()
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        salt = Loaded(work, {"local": daemon.socket}, file_roots=[str(REPO / "examples")])
        busybox_image(salt.tree / "busybox.tar.gz")
        apply = salt.modules["state.apply"]("web")
        write(folder / "apply.svg", salt, "state.apply web", apply, "highstate")
        dry_run = salt.modules["state.apply"]("web", test=True, pillar={"memory": "128MiB"})
        command = """state.apply web test=True pillar='{"memory": "128MiB"}' --state-verbose=False"""
        write(folder / "dry-run.svg", salt, command, dry_run, "highstate")
        salt.modules["lxdapi_instance.stop"]("web2", force=True)
        status = salt.modules["lxdapi.status"](sls="web")
        status["server"]["name"] = "host1"
        write(folder / "status.svg", salt, "lxdapi.status sls=web", status, "lxdapi_table")
        graph = salt.modules["lxdapi.graph"]("svg")
        (folder / "graph.svg").write_text(graph.replace(socket.gethostname(), "host1"))


def write(path, salt, command, answer, outputter):
    """Write a picture of a command and of its answer as Salt prints it."""
    opts = {**salt.opts(), "color": True, "state_verbose": False}
    shown = output.out_format({"local": answer}, outputter, opts)
    console = Console(record=True, width=WIDTH, file=sys.stderr)
    console.print(Text.from_ansi(f"$ salt-call --local {command}\n{shown.rstrip()}"))
    console.print()
    drawn = console.export_svg(title="", theme=MONOKAI, unique_id=path.stem)
    # rich refers to a font on the network
    path.write_text(re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
