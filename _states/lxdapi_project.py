"""
Projects of LXD and Incus as declared.

:depends: requests, requests-unixsocket
"""

try:
    from lxdapi.minion import connection as front
    from lxdapi.minion import state_run as runs
    from lxdapi.plan import converge
    from lxdapi.plan import steps as plans
except ImportError as exc:
    front, _MISSING = None, exc

__version__ = "0.1.0"


def __virtual__():
    """Load if the library of lxdapi and what it needs can be imported."""
    if front is None:
        return False, f"lxdapi: {_MISSING}; it needs requests and requests-unixsocket (README, Dependencies)"
    return front.loadable(__version__)


def _api(remote):
    return front.connect(__salt__, __context__, remote)


def present(name, description=None, config=None, renamed_from=None, sensitive=None, remote=None):
    """
    Ensure that a project exists with the given settings.

    .. code-block:: yaml

        shop:
          lxdapi_project.present:
            - description: the web shop
            - config:
                features.profiles: true
                limits.instances: 20
                restricted: true

    name
        Of the project.
    description
        Text; "" clears it.
    config
        A mapping of keys to values, among them ``features.*``, ``limits.*`` and ``restricted.*``. Other keys are
        left alone; ``null`` removes one; an empty mapping removes all but ``features.*``, which the daemon sets
        in a new project. The daemon refuses to change features of a project that is not empty.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    sensitive
        A list of keys of ``config`` (``user.db_*``) whose values nobody shall see: README, Secrets.
    remote
        See the README, Remotes.
    """
    wanted = {"description": description, "config": config}
    return plans.state(
        "project",
        name,
        runs.of(globals()),
        lambda: converge.present(_api(remote), "project", name, wanted, renamed_from=renamed_from),
        sensitive,
    )


def absent(name, force=False, remote=None):
    """
    Ensure that a project does not exist; the daemon refuses one that is not empty.

    .. code-block:: yaml

        shop:
          lxdapi_project.absent

    name
        Of the project.
    force
        True: with everything in it (API extension projects_force_delete: Incus 6.0.4, LXD 5.21 or newer).
    remote
        See the README, Remotes.
    """
    return plans.state(
        "project",
        name,
        runs.of(globals()),
        lambda: converge.absent(_api(remote), "project", name, force),
    )
