"""
Images of LXD and Incus as declared, made of instances and their snapshots.

:depends: requests, requests-unixsocket
"""

from lxdapi.images import publish as publications
from lxdapi.minion import state

__virtualname__ = "lxdapi_image"


def __virtual__():
    """Add these functions to those of ``lxdapi_image``."""
    return __virtualname__


def published(
    name,
    instance,
    aliases=None,
    public=None,
    expires_at=None,
    properties=None,
    compression=None,
    force=False,
    delete_old=False,
    timeout=None,
    remote=None,
    project=None,
):
    """
    Ensure that an alias points at an image that was made of an instance, or of a snapshot of one.

    .. code-block:: yaml

        web-golden:
          lxdapi_image.published:
            - instance: web1
            - properties:
                owner: web team

        web-before:
          lxdapi_image.published:
            - instance: web1/before
            - compression: gzip
            - delete_old: true

    name
        The alias.
    instance
        The name of an instance, or ``INSTANCE/SNAPSHOT``. The image is made once; it is made anew where the instance or
        the snapshot was created anew under its name, so a snapshot that was taken again becomes another image. What
        happens inside an instance afterwards does not count: publish a snapshot, or delete the image. What an image was
        made of says its property ``lxdapi.published``.
    aliases
        A list of more names that shall point at it.
    public
        True: everybody who reaches the daemon may read it. None: a new image is not public.
    expires_at
        A time such as ``2030-01-31T00:00:00Z``, after which the daemon may remove the image; "" for never.
    properties
        A mapping, beside those of the instance's image, of which other keys are left alone.
    compression
        Of a new image: ``gzip``, ``zstd``, ``xz``, ``none``, ...; None: as the server has it set.
    force
        True: an instance that runs is stopped for it, and brought back to its status. False: that is an error, as
        both daemons refuse it. A snapshot can be published at any time.
    delete_old
        True: the image that the alias pointed at before is deleted, if it was made by this state and has no other
        alias.
    timeout
        Seconds for the publication; 3600.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    declared = {"public": public, "expires_at": expires_at, "properties": properties}
    options = {"compression": compression, "force": force, "delete_old": delete_old, "timeout": timeout}
    return state.run(
        globals(),
        "image",
        name,
        lambda api: publications.present(api, name, instance, declared, aliases or (), **options),
        remote=remote,
        project=project,
    )
