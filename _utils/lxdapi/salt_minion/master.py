"""
The master of this machine: the keys of its minions, and whether a minion answers.
"""

import os
import time

import salt.client
import salt.loader
from salt.exceptions import SaltException

from lxdapi.errors import LxdapiError
from lxdapi.salt_minion.spec import parse_id

ACCEPTED, PENDING = "minions", "minions_pre"
_PING_SECONDS, _PAUSE_SECONDS = 10, 0.2


class Master:
    """The master with these options of Salt."""

    def __init__(self, opts):
        self._opts = opts
        # Their functions, unlike the client of Salt, send no event with what they return.
        self._wheel = salt.loader.wheels(opts)

    @property
    def public_key(self):
        """Return the public key of the master, None if minions see another one: that of a cluster."""
        if self._opts.get("cluster_id"):
            return None
        # key.master_key_str of Salt 3008 fails
        try:
            with open(os.path.join(self._opts["pki_dir"], "master.pub"), encoding="ascii") as file:
                return file.read()
        except OSError as exc:
            raise LxdapiError(f"cannot read the public key of the master: {exc}") from exc

    def keys(self, minion_id):
        """Return ``{state: public key}`` of a minion; the states are those of ``salt-key``."""
        found = self._wheel["key.print"](parse_id(minion_id))
        return {state: keys[minion_id] for state, keys in found.items() if minion_id in keys}

    def create_key(self, minion_id):
        """Create a key pair, accept its public key, and return ``{"priv": text, "pub": text}``."""
        pair = self._wheel["key.gen_accept"](parse_id(minion_id))
        if not pair:
            raise LxdapiError(f"the master has accepted another key of the minion {minion_id} meanwhile: run it again")
        return pair

    def accept_key(self, minion_id, public_key):
        """Accept the pending key of a minion, which must be this one."""
        self._wheel["key.accept"](parse_id(minion_id))
        accepted = self.keys(minion_id).get(ACCEPTED)
        if accepted is None:
            raise LxdapiError(f"Salt did not accept the key: salt-key -a {minion_id} shows why")
        if not is_same(accepted, public_key):
            self.delete_keys(minion_id)
            raise LxdapiError(
                f"the pending key of the minion {minion_id} was replaced meanwhile, so it was deleted: run it again "
                "when the minion has sent its key"
            )

    def delete_keys(self, minion_id):
        """Delete the keys of a minion in all states."""
        self._wheel["key.delete"](parse_id(minion_id))

    def can_reach(self, minion_id, seconds=_PING_SECONDS):
        """Return whether the minion answers within about this number of seconds."""
        try:
            with salt.client.get_local_client(mopts=self._opts) as client:
                # Salt asks a minion that is late whether it still works, and waits again
                limits = {"timeout": seconds, "gather_job_timeout": seconds}
                answers = client.cmd([minion_id], "test.ping", tgt_type="list", **limits)
        except SaltException as exc:
            raise LxdapiError(f"the master does not answer: {exc}; is salt-master running?") from exc
        return answers.get(minion_id) is True  # a minion that does not answer has something else, or nothing

    def wait_for(self, minion_id, seconds):
        """Wait until the minion answers; raises :class:`LxdapiError` after this number of seconds."""
        end, ping_seconds = time.monotonic() + seconds, 1
        while not self.can_reach(minion_id, ping_seconds):
            ping_seconds = min(2 * ping_seconds, _PING_SECONDS)  # a slow machine needs more
            if time.monotonic() > end:
                raise LxdapiError(
                    f"the minion {minion_id} did not answer within {seconds} s: its log /var/log/salt/minion in the "
                    "instance says why"
                )
            time.sleep(_PAUSE_SECONDS)


def is_same(one, other):
    """Return True for the same public key; line breaks do not count."""
    return all(isinstance(key, str) for key in (one, other)) and one.split() == other.split()
