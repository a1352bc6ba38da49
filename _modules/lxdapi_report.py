"""
A host of LXD or Incus at a glance: its instances as a table, and as a picture with what they hang on.

:depends: requests, requests-unixsocket
"""

from lxdapi.minion import connection, remotes
from lxdapi.reports import host_graph, host_status
from salt.exceptions import CommandExecutionError, SaltInvocationError

__virtualname__ = "lxdapi"
__outputter__ = {"status": "lxdapi_table", "graph": "lxdapi_text"}


def __virtual__():
    """Add these functions to those of ``lxdapi``."""
    return __virtualname__


def status(name="*", state=True, sls=None, all_projects=False, remote=None, project=None):
    """
    Return the instances of a host at a glance: ``server``, and ``instances`` with for each ``name``, ``project``,
    ``status``, ``type``, ``location`` (in a cluster), ``created_at``, ``age`` in seconds, ``addresses`` (those that can
    be reached from elsewhere), ``memory`` in bytes, the number of ``snapshots``, and ``drift``.

    name
        A pattern such as ``web*``, or several: a list, or text with commas. ``*``: all.
    state
        True. False: without addresses, memory and snapshots, which for 200 instances takes a 27th of the time.
    sls
        The name of an SLS, or several: a list, or text with commas. It is run in test mode, all that is in it, and
        ``drift`` says of each instance ``as declared``, ``would change: config limits.cpu``, ``not declared``. What is
        declared and missing has a line of its own. Nothing is written. Not over salt-ssh, whose target has no SLS.
    all_projects
        True: the instances of every project. False.

    On a command line it comes as a table (outputter ``lxdapi_table``); ``--out json`` has the data. One request
    lists all instances.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.status
        salt-call lxdapi.status 'web*' state=False
    """
    api = connection.connect(globals(), remote, project)
    found = host_status.status(api, name, state, all_projects)
    if not sls:
        return found
    chunks, answers = _tested(sls)
    default = (remotes.LOCAL, connection.connect(globals(), remote, None).project or "default")
    ours = (remote or remotes.LOCAL, None if all_projects else api.project or "default")
    return host_status.compare(found, chunks, answers, (default, ours), host_status.parse_texts("name", name))


def _tested(sls):
    """
    Return (low data, answers in test mode) of SLS files: the states say themselves what they would change, as they
    do for whoever runs them; a second comparison could say something else.
    """
    mods = host_status.parse_texts("sls", sls)
    chunks = __salt__["state.show_low_sls"](mods)
    if not all(isinstance(chunk, dict) for chunk in chunks):
        raise SaltInvocationError(f"sls: {'; '.join(map(str, chunks))}")
    # Only what is run to write has to be alone.
    answers = __salt__["state.apply"](mods, test=True, concurrent=True)
    if not isinstance(answers, dict):
        raise CommandExecutionError(f"sls: {'; '.join(map(str, answers))}")
    return chunks, answers


def graph(format="mermaid", path=None, remote=None, project=None):
    """
    Return a graph of a host as text: servers, networks, storage pools, profiles and instances, and what uses what.

    format
        ``mermaid``, which Markdown shows (by default not with more than 500 lines between boxes); ``dot``, Graphviz'
        language; or ``svg``, which the program ``dot`` draws: install graphviz on the minion. Default: ``mermaid``.
    path
        Of a file of the minion that it is written to instead, with mode 0600; the path comes back.

    On a command line the text comes alone (outputter ``lxdapi_text``): ``salt-call lxdapi.graph svg > host.svg``. It
    takes one request for each kind, all at once.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.graph mermaid
        salt-call lxdapi.graph dot path=/srv/backups/host.dot
    """
    text = host_graph.render(connection.connect(globals(), remote, project), format)
    return text if path is None else host_graph.write(path, text)
