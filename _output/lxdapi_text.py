"""
The outputter of ``lxdapi.graph``: the text alone, without the name of the minion before it, as a file shall have it.

What is not text is shown as ``nested`` shows it.
"""

__virtualname__ = "lxdapi_text"


def __virtual__():
    """Load in any case: it needs nothing but Salt."""
    return __virtualname__


def output(data, **kwargs):
    """
    Return the answers of minions, where all of them are text.

    data
        ``{minion: answer}``.
    kwargs
        What Salt hands to every outputter.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.graph dot --out lxdapi_text > host.dot
    """
    if not isinstance(data, dict) or not data or not all(isinstance(answer, str) for answer in data.values()):
        return __salt__["nested"](data)
    return "\n".join(answer.rstrip("\n") for answer in data.values())
