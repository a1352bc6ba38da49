"""
States as a run has them: chunks of an SLS, applied by Salt's own compiler in-process.
"""

from loaded import Loaded


def chunk(function, name=None, requisites=None, **arguments):
    """Return an entry of an SLS."""
    state, fun = function.split(".")
    given = {**({} if name is None else {"name": name}), **arguments, **(requisites or {})}
    return {state: [fun, *({key: value} for key, value in given.items())]}


class Runs:
    """Applies SLS with some settings of lxdapi."""

    def __init__(self, folder, socket, **settings):
        self._salt = Loaded(folder, {"local": {"endpoint": str(socket)}}, **settings)

    def __call__(self, chunks, test=False):
        """Return the answers in the order of the run; chunks: ``{id: entry}``, their order counts."""
        high = {
            own: {**entry, "__sls__": "tests", "__env__": "base"}
            for own, entry in ((own, _ordered(place, entry)) for place, (own, entry) in enumerate(chunks.items()))
        }
        ret = self._salt.modules["state.high"](high, test=test)
        assert isinstance(ret, dict), ret
        return sorted(ret.values(), key=lambda each: each["__run_num__"])


def _ordered(place, entry):
    return {state: [*parts, {"order": 10000 + place}] for state, parts in entry.items()}


def told(answers):
    """Return what a run says, without what differs between two that did the same."""
    return [(each["__id__"], each["result"], each["changes"], each["comment"]) for each in answers]
