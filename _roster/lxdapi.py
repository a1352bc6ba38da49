"""
Running instances of LXD and Incus as targets of salt-ssh, without sshd and without a network in them.

:depends: requests, requests-unixsocket, websocket-client
"""

from salt.exceptions import CommandExecutionError, SaltClientError

if __name__ == "lxdapi":  # imported instead of the library, which is not on the path
    raise ModuleNotFoundError(
        "No module named 'lxdapi' (the library, _utils/lxdapi): run salt-run saltutil.sync_all", name=__name__
    )

from lxdapi.minion import ssh_roster

__version__ = "0.1.0"


def targets(tgt, tgt_type="glob"):
    """
    Return the entries of the running instances that match a target. Salt calls it: ``salt-ssh --roster=lxdapi``.

    tgt
        The target of salt-ssh, compared with the minion ids: the names of the instances, unless ``lxdapi:roster:id`` is
        set.
    tgt_type
        How to compare: ``glob``, ``pcre``, ``list``, ``nodegroup`` or ``range``. Default: ``glob``.

    ``lxdapi:roster`` in the configuration of the master selects remotes and projects.
    """
    try:
        found = ssh_roster.read_targets(globals(), __runner__["config.get"])
    except CommandExecutionError as exc:
        raise SaltClientError(f"the roster lxdapi: {exc}") from exc
    return __utils__["roster_matcher.targets"](found, tgt, tgt_type)
