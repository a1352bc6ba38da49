"""
Keys of storage buckets of LXD and Incus as declared.

:depends: requests, requests-unixsocket; the API extension storage_buckets (LXD 5.5 or newer, every
    Incus)
"""

from lxdapi.minion import state


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
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    target
        The member of the cluster that it is on, where more than one has one of that name or a new one
        shall be on that member.
    """
    declared = {"role": role, "description": description, "access_key": access_key, "secret_key": secret_key}
    return state.present(globals(), "storage_bucket_key", name, declared, remote=remote, project=project, target=target)


def absent(name, remote=None, project=None, target=None):
    """
    Ensure that a key of a storage bucket does not exist.

    .. code-block:: yaml

        default/backups/reader:
          lxdapi_storage_bucket_key.absent

    name
        ``POOL/BUCKET/KEY``.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    target
        The member of the cluster that it is on, where more than one has one of that name.
    """
    return state.absent(globals(), "storage_bucket_key", name, remote=remote, project=project, target=target)
