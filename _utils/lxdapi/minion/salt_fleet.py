"""
States that Salt applies inside many instances: from the globals of a front to the answer of each.
"""

from contextlib import nullcontext

from lxdapi.fleet import listing
from lxdapi.http import progress
from lxdapi.minion import connection, salt_states
from lxdapi.salt_inside import start


def apply(names, selection, call, pace, python, sealed, remote, project, label=None):
    """
    Return the :class:`lxdapi.fleet.runner.FleetRunner` with an answer for each selected instance.

    names
        The globals of the front.
    selection
        A :class:`lxdapi.fleet.verbs.Selection`.
    call, python, sealed, remote, project
        See :func:`lxdapi.minion.salt_states.apply_inside`.
    pace
        A :class:`lxdapi.fleet.pace.Pace`.
    label
        The name of a state, for the progress. In test mode, an earlier state may create what is missing. Default: no
        state.
    """
    start.parse_python(python)
    api, test = connection.connect(names, remote, project), call[2]["test"]
    entries = listing.list_instances(api)
    chosen = selection.existing(entries) if test and label else selection.names(entries)

    def act(name):
        return salt_states.apply_inside(names, name, call, test, python, sealed, remote, project)

    counting = progress.count(f"fleet {label}", len(chosen), api, label) if label else nullcontext()
    with counting as on_progress:
        runner = pace.call_each(chosen, act, test, on_progress)
    for name in selection.missing(entries):
        comment = salt_states.unpredictable(name)
        runner.record(name, {"name": name, "changes": {}, "result": None, "comment": comment})
    return runner
