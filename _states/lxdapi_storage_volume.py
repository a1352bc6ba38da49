"""
Custom storage volumes of LXD and Incus as declared.

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


def _api(remote, project, target):
    return front.connect(__salt__, __context__, remote, project, target)


def present(
    name,
    content_type=None,
    description=None,
    config=None,
    source=None,
    renamed_from=None,
    sensitive=None,
    remote=None,
    project=None,
    target=None,
):
    """
    Ensure that a custom storage volume exists with the given settings.

    .. code-block:: yaml

        default/data:
          lxdapi_storage_volume.present:
            - description: of the shop
            - config:
                size: 10GiB
                user.owner: shop

    name
        ``POOL/VOLUME``. An instance gets it by a device: ``{type: disk, pool: POOL, source: VOLUME, path: /data}``.
    content_type
        ``filesystem``, ``block`` or ``iso``; None: ``filesystem`` for a new one. Fixed once the volume exists.
    description
        Text; "" clears it.
    config
        A mapping of keys to values. Other keys are left alone; ``null`` removes one; an empty mapping
        removes all but ``volatile.*``.
    source
        What a new one is made from, as the REST API takes it: ``{type: copy, pool: default, name: other}``; None:
        it is empty. Not looked at afterwards.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet.
    sensitive
        A list of keys of ``config`` (``user.db_*``) whose values nobody shall see: README, Secrets.
    remote, project
        See the README, Remotes.
    target
        The member of the cluster that it is on, where more than one has one of that name or a new one
        shall be on that member.
    """
    wanted = {"content_type": content_type, "description": description, "config": config, "source": source}
    return plans.state(
        "storage_volume",
        name,
        runs.of(globals()),
        lambda: converge.present(
            _api(remote, project, target), "storage_volume", name, wanted, renamed_from=renamed_from
        ),
        sensitive,
    )


def absent(name, remote=None, project=None, target=None):
    """
    Ensure that a custom storage volume does not exist, with its snapshots; the daemon refuses one that is in use.

    .. code-block:: yaml

        default/data:
          lxdapi_storage_volume.absent

    name
        ``POOL/VOLUME``.
    remote, project
        See the README, Remotes.
    target
        The member of the cluster that it is on, where more than one has one of that name.
    """
    return plans.state(
        "storage_volume",
        name,
        runs.of(globals()),
        lambda: converge.absent(_api(remote, project, target), "storage_volume", name),
    )
