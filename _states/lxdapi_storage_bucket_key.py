"""
Keys of storage buckets of LXD and Incus as declared.

:depends: requests, requests-unixsocket; the API extension storage_buckets (LXD 5.5 or newer, every
    Incus)
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
    name, role=None, description=None, access_key=None, secret_key=None, remote=None, project=None, target=None
):
    """
    Ensure that a key of a storage bucket exists with the given settings.

    .. code-block:: yaml

        default/backups/reader:
          lxdapi_storage_bucket_key.present:
            - role: read-only
            - description: for the auditors

    name
        ``POOL/BUCKET/KEY``.
    role
        ``admin`` or ``read-only``; None: ``read-only`` for a new one.
    description
        Text; "" clears it.
    access_key
        The S3 access key; None: the daemon makes one.
    secret_key
        The S3 secret key, which no reply of ours, no log and no ``changes`` shows; None: the daemon makes one.
    remote, project
        See the README, Remotes.
    target
        The member of the cluster that it is on, where more than one has one of that name or a new one
        shall be on that member.
    """
    wanted = {"role": role, "description": description, "access_key": access_key, "secret_key": secret_key}
    return plans.state(
        "storage_bucket_key",
        name,
        runs.of(globals()),
        lambda: converge.present(_api(remote, project, target), "storage_bucket_key", name, wanted),
    )


def absent(name, remote=None, project=None, target=None):
    """
    Ensure that a key of a storage bucket does not exist.

    .. code-block:: yaml

        default/backups/reader:
          lxdapi_storage_bucket_key.absent

    name
        ``POOL/BUCKET/KEY``.
    remote, project
        See the README, Remotes.
    target
        The member of the cluster that it is on, where more than one has one of that name.
    """
    return plans.state(
        "storage_bucket_key",
        name,
        runs.of(globals()),
        lambda: converge.absent(_api(remote, project, target), "storage_bucket_key", name),
    )
