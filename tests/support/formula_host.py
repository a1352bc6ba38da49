"""
A bare Debian that the formula makes a host, for scripts/check-formula: both commands run inside its root file system.

.. code-block:: text

    python -m tests.support.formula_host install lxd    writes the pillar, installs the daemon
    python -m tests.support.formula_host apply lxd      starts the daemon, makes everything in pillar.example
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.client_certificates import in_files
from tests.support.images import busybox_image

REPO = Path(__file__).resolve().parents[2]
SECONDS = 900
MINION = {
    "id": "host",
    "file_client": "local",
    "file_roots": {"base": ["/srv/salt", str(REPO / "formula")]},
    "pillar_roots": {"base": ["/srv/pillar"]},
    "enable_fqdns_grains": False,
}
STOP = {"lxd": ["lxd", "shutdown"], "incus": ["incus", "admin", "shutdown"]}


def configure(daemon):
    """Write the minion's configuration, its files and its pillar: that of the example with this daemon."""
    for folder in ("/etc/salt", "/srv/pillar", "/srv/salt"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    Path("/etc/salt/minion").write_text(json.dumps(MINION))
    example = (REPO / "formula" / "pillar.example").read_text()
    Path("/srv/pillar/host.sls").write_text(example.replace("daemon: incus", f"daemon: {daemon}"))
    Path("/srv/pillar/top.sls").write_text("base: {'*': [host]}")
    busybox_image(Path("/srv/salt/busybox.tar.gz"))
    in_files(Path("/etc/ssl/web-team.crt"), Path("/etc/ssl/web-team.key"))


def salt_call(*words):
    """Return the answer of ``salt-call --local``."""
    command = [Path(sys.executable).with_name("salt-call"), "--local", "--out=json", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=SECONDS)
    return json.loads(done.stdout)["local"]


def applied(sls, *words):
    """Apply an SLS without a failure, and return {state id: changes}."""
    answers = salt_call("state.apply", sls, *words)
    assert isinstance(answers, dict), answers
    bad = {each["__id__"]: each["comment"] for each in answers.values() if each["result"] is not True}
    assert bad == {}, json.dumps(bad, indent=4)
    return {each["__id__"]: each["changes"] for each in answers.values()}


def install(daemon):
    """Install the package of the daemon; a second time changes nothing."""
    configure(daemon)
    assert applied("lxdapi.package")["lxdapi package"]
    assert not any(applied("lxdapi.package").values())


def apply(daemon):
    """Make the host; again, and in test mode, nothing changes."""
    first = applied("lxdapi")
    assert {name for name, changes in first.items() if not changes} <= {"lxdapi package", "lxdapi repository"}, first
    try:
        for words in ([], ["test=True"]):
            again = {name: changes for name, changes in applied("lxdapi", *words).items() if changes}
            assert again == {}, again
        running = salt_call("lxdapi.status")
        print(json.dumps(running, indent=4))
    finally:
        subprocess.run(STOP[daemon], check=True, timeout=120)


if __name__ == "__main__":
    {"install": install, "apply": apply}[sys.argv[1]](sys.argv[2])
