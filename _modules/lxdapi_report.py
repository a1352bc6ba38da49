"""
Overviews of an LXD or Incus host: its instances as a table, and its resources as a graph.

:depends: requests, requests-unixsocket
"""

from lxdapi.minion import connection, remotes
from lxdapi.reports import host_graph, host_status
from salt.exceptions import CommandExecutionError, SaltInvocationError

__version__ = "0.1.0"
__virtualname__ = "lxdapi"
__outputter__ = {"status": "lxdapi_table", "graph": "lxdapi_text"}


def __virtual__():
    """Add these functions to those of ``lxdapi``."""
    return __virtualname__


def status(name="*", state=True, sls=None, all_projects=False, remote=None, project=None):
    """
    Return an overview of the instances of a host: ``server``, and ``instances``, each with ``name``, ``project``,
    ``status``, ``type``, ``location`` (in a cluster), ``created_at``, ``age`` in seconds, ``addresses`` (those that
    other hosts can reach), ``memory`` in bytes, the number of ``snapshots``, and ``drift``.

    name
        Pattern such as ``web*``, or several patterns: a list, or text with commas. Default: ``*``, all instances.
    state
        Whether to include addresses, memory and snapshots. Without them, 200 instances take a 27th of the time.
        Default: true.
    sls
        Name of an SLS, or several names: a list, or text with commas. The SLS is run in test mode, which changes
        nothing, and ``drift`` contains the result for each instance: ``as declared``, ``would change: config
        limits.cpu`` or ``not declared``. An instance that is declared but does not exist has a line of its own. Not
        available over salt-ssh, because its target has no SLS. Default: none.
    all_projects
        Whether to include the instances of every project. Default: false.

    The command line shows a table (outputter ``lxdapi_table``); ``--out json`` shows the data. One request lists all
    instances.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.status
        salt-call lxdapi.status 'web*' state=False
    """
    api = connection.connect(globals(), remote, project)
    overview = host_status.status(api, name, state, all_projects)
    if not sls:
        return overview
    chunks, answers = _run_in_test_mode(sls)
    default = (remotes.LOCAL, connection.connect(globals(), remote, None).project or "default")
    ours = (remote or remotes.LOCAL, None if all_projects else api.project or "default")
    return host_status.compare(overview, chunks, answers, (default, ours), host_status.parse_texts("name", name))


def _run_in_test_mode(sls):
    """
    Return (low data, results in test mode) of SLS files.

    The states themselves report what they would change: a second comparison could differ from theirs.
    """
    mods = host_status.parse_texts("sls", sls)
    chunks = __salt__["state.show_low_sls"](mods)
    if not all(isinstance(chunk, dict) for chunk in chunks):
        raise SaltInvocationError(f"sls: Salt cannot render it: {'; '.join(map(str, chunks))}")
    # A lock is only needed for a run that writes.
    answers = __salt__["state.apply"](mods, test=True, concurrent=True)
    if not isinstance(answers, dict):
        raise CommandExecutionError(f"sls: Salt cannot apply it in test mode: {'; '.join(map(str, answers))}")
    return chunks, answers


def graph(format="mermaid", path=None, remote=None, project=None):
    """
    Return a graph of a host as text: servers, networks, storage pools, profiles and instances, and the relations
    between them.

    format
        ``mermaid``, which Markdown viewers render (by default at most 500 edges); ``dot``, the language of Graphviz; or
        ``svg``, which requires graphviz on the minion. Default: ``mermaid``.
    path
        Path of a file on the minion to write the graph to, with mode 0600; the function then returns the path. Default:
        return the text.

    The command line shows only the text (outputter ``lxdapi_text``): ``salt-call lxdapi.graph svg > host.svg``. The
    function sends one request for each kind, in parallel.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.graph mermaid
        salt-call lxdapi.graph dot path=/srv/backups/host.dot
    """
    text = host_graph.render(connection.connect(globals(), remote, project), format)
    return text if path is None else host_graph.write(path, text)
