"""
The life cycle of a declared web server, for every way to call Salt: srv/web.sls and srv/gone.sls.
"""

import hashlib
import json


def arguments(sls, remote, test=False, **pillar):
    """Return the arguments of ``salt-call`` to apply an SLS with a remote."""
    words = ["state.apply", sls, f"pillar={json.dumps({'remote': remote, **pillar})}"]
    return [*words, "test=True"] if test else words


def by_id(states):
    """Return the results of a state run by the IDs of the states."""
    assert isinstance(states, dict), states
    return {answer["__id__"]: answer for answer in states.values()}


def prove_single_calls(salt, daemon):
    """Check that a function and a single state work on the target of a Salt that is set up for salt-ssh."""
    remote = f"remote={daemon.name}"
    for changes in ({"created": "single"}, {}):
        (answer,) = salt.ssh("state.single", "lxdapi_profile.present", "single", remote).result().values()
        assert (answer["result"], answer["changes"]) == (True, changes), answer
    assert salt.ssh("lxdapi.list", "profile", remote).result() == ["default", "single"]


class Life:
    """
    The web server on one daemon.

    apply
        Called as ``apply(sls, remote, test=..., **pillar)``; returns the results of the states.
    """

    def __init__(self, apply, daemon, image):
        self._apply, self._daemon = apply, daemon
        self._fingerprint = hashlib.sha256(image.read_bytes()).hexdigest()

    def changes(self, sls, test=False, **pillar):
        """Return {id: changes} of a run without failures, without states that changed nothing."""
        answers = by_id(self._apply(sls, self._daemon.name, test=test, **pillar))
        for name, answer in answers.items():
            expected = None if test and answer["changes"] else True
            assert answer["result"] is expected, (name, answer)
        return {name: answer["changes"] for name, answer in answers.items() if answer["changes"]}

    def begins(self):
        """Check that everything is created, and that a second run changes nothing."""
        alias = {"busybox": {"old": None, "new": self._fingerprint}}
        assert self.changes("web") == {
            "busybox": {"created": self._fingerprint, "aliases": alias},
            "web": {"created": "web"},
            "web1": {"created": "web1", "status": {"old": "Stopped", "new": "Running"}},
        }
        assert self._daemon.ask("GET", "/1.0/instances/web1")["status"] == "Running"
        assert self.changes("web") == {}

    def goes_on(self):
        """Check that an edit is predicted without a write, made as predicted, and not made again."""
        edit = {"config": {"user.owner": {"old": "team a", "new": "team b"}}}
        assert self.changes("web", test=True, owner="team b") == {"web": edit}
        assert self._owner() == "team a"
        assert self.changes("web", owner="team b") == {"web": edit}
        assert self._owner() == "team b"
        assert self.changes("web", owner="team b") == {}

    def ends(self):
        """Check that everything is removed, and that a second run changes nothing."""
        assert self.changes("gone") == {
            "web1": {"status": {"old": "Running", "new": "Stopped"}, "forced": True, "deleted": "web1"},
            "web": {"deleted": "web"},
            "busybox": {"deleted": self._fingerprint},
        }
        assert self._daemon.ask("GET", "/1.0/instances") == []
        assert self.changes("gone") == {}

    def _owner(self):
        return self._daemon.ask("GET", "/1.0/profiles/web")["config"]["user.owner"]
