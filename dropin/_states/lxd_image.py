"""
Images of LXD and Incus, under the names of the states that Salt 3008 removed.

:depends: lxdapi

``remote_addr``, ``cert``, ``key`` and ``verify_cert`` are those of the execution module ``lxd``.
"""

from functools import partial

from lxdapi.dropin import images, words
from lxdapi.minion import connection, state
from lxdapi.plan import converge, steps

__version__ = "0.1.0"


def present(
    name,
    source,
    aliases=None,
    public=None,
    auto_update=None,
    remote_addr=None,
    cert=None,
    key=None,
    verify_cert=True,
):
    """
    Ensure that an image exists under an alias.

    .. code-block:: yaml

        busybox:
          lxd_image.present:
            - source:
                type: file
                filename: salt://images/busybox.tar.gz
            - aliases:
              - busybox/1.36

        debian/13:
          lxd_image.present:
            - source:
                type: simplestreams
                server: https://images.example.com
                name: debian/13
            - auto_update: true

        debian/12:
          lxd_image.present:
            - source:
                type: lxd
                name: debian/12
                remote_addr: https://host1.example.com:8443
                cert: ~/.config/lxc/client.crt
                key: ~/.config/lxc/client.key
                verify_cert: false

        box:
          lxd_image.present:
            - source:
                type: url
                url: https://images.example.com/box

    name
        Alias of the image. If it exists, the source is ignored.
    source
        Mapping with the ``type`` of the source and its keys. ``file``: ``filename`` (a path on the minion, ``salt://``
        or ``http(s)://``) and ``saltenv``. ``simplestreams``: ``server`` (a URL, or a name below
        ``lxdapi:image_servers``) and ``name``. ``lxd``: ``name`` (an alias or a fingerprint), ``remote_addr``,
        ``cert``, ``key`` and ``verify_cert`` of another daemon. ``url``: ``url``, whose headers name the image, as the
        daemon defines them.
    aliases
        List of all further aliases of the image. Others are removed. Default: unchanged.
    public
        Whether everyone who can reach the daemon may read the image. Default: unchanged; for a new image, that of its
        source.
    auto_update
        Whether the daemon updates a new image from its source; that of a file is never updated. Default: that
        of the source.
    """

    def plan():
        api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
        connect = partial(connection.connect_to, globals())
        tools = images.Tools(__salt__["cp.cache_file"], __opts__["cachedir"], state.saltenv_of(globals()), connect)
        return images.plan_present(api, name, source, images.Settings(aliases, public, auto_update), tools)

    return state.run_for_dropin(globals(), "image", name, plan, words.of_image)


def absent(name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Ensure that an image does not exist. Its aliases are deleted too.

    .. code-block:: yaml

        busybox:
          lxd_image.absent

    name
        Alias or fingerprint of the image.
    """

    def plan():
        api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
        found = images.find(api, name)
        return converge.plan_absent(api, "image", found["fingerprint"]) if found else steps.Plan((), "absent")

    return state.run_for_dropin(globals(), "image", name, plan, words.of_removal("Image"))
