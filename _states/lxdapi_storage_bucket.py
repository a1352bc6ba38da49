"""
Storage buckets of LXD and Incus as declared: object storage (S3).

:depends: requests, requests-unixsocket; the API extension storage_buckets (LXD 5.5 or newer, every
    Incus); on a local pool a daemon that finds minio
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


def present(name, description=None, config=None, sensitive=None, remote=None, project=None, target=None):
    """
    Ensure that a storage bucket exists with the given settings.

    .. code-block:: yaml

        default/backups:
          lxdapi_storage_bucket.present:
            - description: of the shop
            - config:
                size: 10GiB

    name
        ``POOL/BUCKET``.
    description
        Text; "" clears it.
    config
        A mapping of keys to values. Other keys are left alone; ``null`` removes one; an empty mapping
        removes all but ``volatile.*``.
    sensitive
        A list of keys of ``config`` (``user.db_*``) whose values nobody shall see: README, Secrets.
    remote, project
        See the README, Remotes.
    target
        The member of the cluster that it is on, where more than one has one of that name or a new one
        shall be on that member.
    """
    wanted = {"description": description, "config": config}
    return plans.state(
        "storage_bucket",
        name,
        runs.of(globals()),
        lambda: converge.present(_api(remote, project, target), "storage_bucket", name, wanted),
        sensitive,
    )


def absent(name, remote=None, project=None, target=None):
    """
    Ensure that a storage bucket does not exist.

    .. code-block:: yaml

        default/backups:
          lxdapi_storage_bucket.absent

    name
        ``POOL/BUCKET``.
    remote, project
        See the README, Remotes.
    target
        The member of the cluster that it is on, where more than one has one of that name.
    """
    return plans.state(
        "storage_bucket",
        name,
        runs.of(globals()),
        lambda: converge.absent(_api(remote, project, target), "storage_bucket", name),
    )
