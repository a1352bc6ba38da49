"""
State runs in-process: chunks of an SLS, applied by Salt's own compiler.
"""

import re

import salt.state

from tests.support.loader import Loaded

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def chunk(function, name=None, requisites=None, **arguments):
    """Return an entry of an SLS."""
    state, fun = function.split(".")
    given = {**({} if name is None else {"name": name}), **arguments, **(requisites or {})}
    return {state: [fun, *({key: value} for key, value in given.items())]}


class Runs:
    """Apply SLS with given settings of lxdapi."""

    def __init__(self, folder, socket, **settings):
        self._salt = Loaded(folder, {"local": {"endpoint": str(socket)}}, **settings)

    def __call__(self, chunks, test=False):
        """Return the results in the order of the run; chunks: ``{id: entry}``, in order."""
        high = {
            own: {**entry, "__sls__": "tests", "__env__": "base"}
            for own, entry in ((own, _ordered(place, entry)) for place, (own, entry) in enumerate(chunks.items()))
        }
        # a new one each time, because each job of a minion has its own context
        ret = salt.state.State(self._salt.opts(test)).call_high(high)
        assert isinstance(ret, dict), ret
        return sorted(ret.values(), key=lambda each: each["__run_num__"])


def _ordered(place, entry):
    return {state: [*parts, {"order": 10000 + place}] for state, parts in entry.items()}


def results_of(answers):
    """Return the results of a run without the parts that always differ, such as times."""
    return [(each["__id__"], each["result"], each["changes"], _plain(each["comment"])) for each in answers]


def _plain(comment):
    return _UUID.sub("UUID", comment)
