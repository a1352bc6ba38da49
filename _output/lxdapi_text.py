"""
The outputter of ``lxdapi.graph``: the text alone, without the name of the minion, so that it can be redirected to a
file.

It shows any other data as ``nested`` does.
"""

__virtualname__ = "lxdapi_text"


def __virtual__():
    """Load always: the outputter needs nothing but Salt."""
    return __virtualname__


def output(data, **kwargs):
    """
    Return the results of minions, if all of them are text.

    data
        ``{minion: result}``.
    kwargs
        Arguments that Salt passes to every outputter, ignored.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.graph dot --out lxdapi_text > host.dot
    """
    if not isinstance(data, dict) or not data or not all(isinstance(answer, str) for answer in data.values()):
        return __salt__["nested"](data)
    return "\n".join(answer.rstrip("\n") for answer in data.values())
