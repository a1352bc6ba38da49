"""
Instances as targets of Salt, without a minion in them: the functions behind the resource type ``lxdapi`` of Salt 3008
and behind the proxy minion ``lxdapi``.

:depends: requests, requests-unixsocket, websocket-client

The pillar of the minion declares its targets below ``resources:lxdapi``, and that of a proxy minion below ``proxy``.
"""

from lxdapi.minion import targets
from lxdapi.salt_inside import calls

__version__ = "0.1.0"


def grains():
    """
    Return the grains of all targets by minion id, as ``salt -G`` matches them. This lists the instances once for each
    remote and project, and runs nothing inside.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_target.grains
    """
    return targets.grains(globals())


def call(target, function, args=None, kwargs=None):
    """
    Run a function of Salt inside the instance of a target, with the minion id of the target. Returns its result, and
    its exit code becomes that of the call.

    target
        The minion id of the target.

    See :py:func:`lxdapi_salt.call` for the other parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_target.call web1 cmd.run hostname
    """
    args, kwargs = calls.parse_arguments(args, kwargs)
    return targets.call(globals(), target, function, args, kwargs)


def ping(target):
    """
    Return True if the instance of a target runs; an error says why it does not. This asks only the daemon.

    target
        The minion id of the target.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_target.ping web1
    """
    return targets.ping(globals(), target)
