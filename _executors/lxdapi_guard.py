"""
The guard of a minion that offers instances as resources: it keeps jobs for instances away from the minion itself.

Salt 3008.3 also runs a state function on the minion if a list, a grain, a batch or a compound expression selects only
resources of it: ``salt -L web1 state.apply`` would change the host. The resource type ``lxdapi`` activates the guard.
"""

import salt.loader
import salt.loader.context

# Salt's default, for targets with a delimiter.
_DELIMITER = ":"
_WITH_DELIMITER = ("grain", "grain_pcre", "pillar")


def execute(opts, data, func, args, kwargs):
    """
    Return an empty result for a job that selects only resources, so that Salt continues with them. None: the next
    executor runs the function.
    """
    context = getattr(salt.loader.context, "resource_ctxvar", None)
    if context is None or context.get() or not data.get("resource_targets"):
        return None
    return None if _selects_minion(opts, data) else {}


def _selects_minion(opts, data):
    """Return whether the target of a job matches this minion, apart from its resources."""
    kind, own = data.get("tgt_type", "glob"), {**opts, "resources": {}}
    match = salt.loader.matchers(own)[f"{kind}_match.match"]
    if kind in _WITH_DELIMITER:
        return match(data["tgt"], delimiter=data.get("delimiter", _DELIMITER), opts=own)
    return match(data["tgt"], opts=own)
