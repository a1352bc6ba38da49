"""
salt-ssh to instances that have a Python, but neither sshd nor network, as the guide shows it.
"""

import os

from tests.support.documentation import code_blocks
from tests.support.salt_commands import Salt

GUIDE, FOLDER = "docs/how-to/salt-ssh-instances", "/var/cache/salt/master/lxdapi/ssh"
MOTD = "/etc/motd:\n  file.managed:\n    - contents: {{ grains['id'] }} with {{ pillar['word'] }}\n"


class SshGuide:
    """
    The guide, followed with a daemon that has the image ``python``: ``web1`` runs and ``web2`` does not.

    salt
        A Salt that has lxdapi, whose files and caches are used.
    folder
        A folder for the settings.
    """

    def __init__(self, salt, daemon, roots, folder):
        self.daemon, self._programs = daemon, f"{salt.folder}{FOLDER}"
        own = {"lxdapi": {"remotes": {"local": daemon.socket}}, "root_dir": str(salt.folder)}
        self.salt = Salt(salt.venv, folder, roots, salt.python, salt.environment, **{**salt.options, **own})
        (roots[-1] / "motd.sls").write_text(MOTD)
        for name in ("web1", "web2"):
            daemon.ask("POST", "/1.0/instances", {"name": name, "source": {"type": "image", "alias": "python"}})
        daemon.ask("PUT", "/1.0/instances/web1/state", {"action": "start"})

    def commands(self, heading):
        """Return the commands of a section of the guide as they are typed here."""
        (block,) = code_blocks(GUIDE, heading, "bash")
        return block.replace(FOLDER, self._programs).replace("$PATH", os.environ["PATH"]).splitlines()

    def follow(self, roster="lxdapi", others=()):
        """
        Do what the guide shows: let the roster write the programs, and apply states.

        roster
            The rosters of the call that reaches everything, with ``others``, the ids of other hosts.
        """
        (first,) = self.commands("Set it up")
        refused = self.salt.typed(first)
        assert refused.status == 1 and f"salt-ssh does not find {self._programs}/ssh: start it" in refused.stderr
        ping, apply = self.commands("Apply states")
        reached = self.salt.typed(ping.replace("--roster=lxdapi", f"--static --roster={roster}"))
        assert reached.succeeded().parsed() == dict.fromkeys(["web1", *others], True)
        (applied,) = self.salt.typed(f'{apply} pillar=\'{{"word": "Hello"}}\'').result().values()
        assert (applied["result"], applied["changes"]) == (True, {"diff": "New file"}), applied
        assert self.daemon.request("GET", "/1.0/instances/web1/files?path=/etc/motd")[1] == b"web1 with Hello\n"
