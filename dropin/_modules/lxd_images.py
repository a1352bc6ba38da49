"""
Images of LXD and Incus, under the names of the functions that Salt 3008 removed.

:depends: lxdapi

``remote_addr``, ``cert``, ``key`` and ``verify_cert`` are those of the execution module ``lxd``.
"""

from functools import partial

from lxdapi.dropin import errors, images
from lxdapi.minion import connection
from lxdapi.model import listing
from lxdapi.plan import converge, steps

__version__ = "0.1.0"
__virtualname__ = "lxd"


def __virtual__():
    """Add these functions to those of ``lxd``."""
    return __virtualname__


def image_list(list_aliases=False, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Return all images.

    list_aliases
        Whether to return a mapping of fingerprints to lists of aliases. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.image_list true
    """
    found = listing.list_objects(connection.connect_to(globals(), remote_addr, cert, key, verify_cert), "image")
    if list_aliases:
        return {digest: [alias["name"] for alias in each.get("aliases") or ()] for digest, each in found.items()}
    return list(found.values())


def image_get(fingerprint, remote_addr=None, cert=None, key=None, verify_cert=True, _raw=False):
    """
    Return an image. Raises an error if it does not exist.

    fingerprint
        Fingerprint of the image, or the beginning of the fingerprint of one image only.
    _raw
        Has no effect: there are no objects of pylxd. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.image_get 3ad0a4b37f2d7b4e8ab1ad3d1a4ae1b6c2d63dc4a4e1b6c2d63dc4a4e1b6c2d6
    """
    found = images.find_by_fingerprint(
        connection.connect_to(globals(), remote_addr, cert, key, verify_cert), fingerprint
    )
    if found is None:
        raise errors.not_found("Image with fingerprint", fingerprint)
    return found


def image_get_by_alias(alias, remote_addr=None, cert=None, key=None, verify_cert=True, _raw=False):
    """
    Return the image that an alias points at. Raises an error if the alias does not exist.

    alias
        Alias of the image.
    _raw
        Has no effect: there are no objects of pylxd. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.image_get_by_alias busybox
    """
    found = images.find_by_alias(connection.connect_to(globals(), remote_addr, cert, key, verify_cert), alias)
    if found is None:
        raise errors.not_found("Image with alias", alias)
    return found


def image_delete(image, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Delete an image and its aliases. Returns true. Raises an error if it does not exist.

    image
        Alias or fingerprint of the image.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.image_delete busybox
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    digest = images.require(api, image)["fingerprint"]
    return bool(steps.apply(converge.plan_absent(api, "image", digest)))


def image_from_simplestreams(
    server,
    alias,
    remote_addr=None,
    cert=None,
    key=None,
    verify_cert=True,
    aliases=None,
    public=False,
    auto_update=False,
    _raw=False,
):
    """
    Make the daemon fetch an image from a simplestreams server. Returns the image.

    server
        URL of the server, or its name below ``lxdapi:image_servers``.
    alias
        Alias of the image on the server.
    aliases
        List of aliases of the image; existing aliases are moved. Default: none.
    public
        Whether everyone who can reach the daemon may read the image. Default: false.
    auto_update
        Whether the daemon updates the image from its source. Default: false.
    _raw
        Has no effect: there are no objects of pylxd. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.image_from_simplestreams https://images.example.com debian/13 aliases='["debian/13"]'
    """
    settings = images.Settings(aliases, public, auto_update)
    source = {"type": "simplestreams", "server": server, "name": alias}
    return images.create(
        connection.connect_to(globals(), remote_addr, cert, key, verify_cert),
        source,
        settings,
        images.Tools(__salt__["cp.cache_file"], __opts__["cachedir"]),
    )


def image_from_url(
    url,
    remote_addr=None,
    cert=None,
    key=None,
    verify_cert=True,
    aliases=None,
    public=False,
    auto_update=False,
    _raw=False,
):
    """
    Make the daemon fetch an image whose address a web server names in its headers. Returns the image.

    url
        URL on the web server.
    aliases
        List of aliases of the image; existing aliases are moved. Default: none.
    public
        Whether everyone who can reach the daemon may read the image. Default: false.
    auto_update
        Whether the daemon updates the image from its source. Default: false.
    _raw
        Has no effect: there are no objects of pylxd. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.image_from_url https://images.example.com/box aliases='["box"]'
    """
    settings = images.Settings(aliases, public, auto_update)
    source = {"type": "url", "url": url}
    return images.create(
        connection.connect_to(globals(), remote_addr, cert, key, verify_cert),
        source,
        settings,
        images.Tools(__salt__["cp.cache_file"], __opts__["cachedir"]),
    )


def image_from_file(
    filename,
    remote_addr=None,
    cert=None,
    key=None,
    verify_cert=True,
    aliases=None,
    public=False,
    saltenv="base",
    _raw=False,
):
    """
    Upload the file of a unified image (a tarball). Returns the image.

    filename
        A path on the minion, ``salt://`` or ``http(s)://``.
    saltenv
        Salt environment of ``salt://`` sources. Default: ``base``.
    aliases
        List of aliases of the image; existing aliases are moved. Default: none.
    public
        Whether everyone who can reach the daemon may read the image. Default: false.
    _raw
        Has no effect: there are no objects of pylxd. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.image_from_file salt://images/busybox.tar.gz aliases='["busybox"]'
    """
    settings = images.Settings(aliases, public)
    source = {"type": "file", "filename": filename, "saltenv": saltenv}
    return images.create(
        connection.connect_to(globals(), remote_addr, cert, key, verify_cert),
        source,
        settings,
        images.Tools(__salt__["cp.cache_file"], __opts__["cachedir"]),
    )


def image_copy_lxd(
    source,
    src_remote_addr,
    src_cert,
    src_key,
    src_verify_cert,
    remote_addr,
    cert,
    key,
    verify_cert=True,
    aliases=None,
    public=None,
    auto_update=None,
    _raw=False,
):
    """
    Copy an image of another daemon. Returns the image.

    source
        Alias or fingerprint of the image on the other daemon.
    src_remote_addr, src_cert, src_key, src_verify_cert
        Address of the other daemon, and the files and the verification for it.
    aliases
        List of aliases of the image; existing aliases are moved. Default: none.
    public
        Whether everyone who can reach the daemon may read the image. Default: as on the other daemon.
    auto_update
        Whether the daemon updates the image from its source. Default: false.
    _raw
        Has no effect: there are no objects of pylxd. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.image_copy_lxd busybox https://host1:8443 ~/a.crt ~/a.key false https://host2:8443 ~/b.crt ~/b.key
    """
    origin = {"remote_addr": src_remote_addr, "cert": src_cert, "key": src_key, "verify_cert": src_verify_cert}
    tools = images.Tools(__salt__["cp.cache_file"], __opts__["cachedir"])._replace(
        connect=partial(connection.connect_to, globals())
    )
    settings = images.Settings(aliases, public, auto_update)
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return images.create(api, {"type": "lxd", "name": source, **origin}, settings, tools)


def image_alias_add(image, alias, description="", remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Add an alias to an image. Returns true. Raises an error if another image has the alias.

    image
        Alias or fingerprint of the image.
    alias
        The new alias.
    description
        Description of the alias. Default: empty.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.image_alias_add busybox box 'a short name'
    """
    return images.add_alias(
        connection.connect_to(globals(), remote_addr, cert, key, verify_cert), image, alias, description
    )


def image_alias_delete(image, alias, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Delete an alias of an image. Returns whether the image had it.

    image
        Alias or fingerprint of the image.
    alias
        The alias.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.image_alias_delete busybox box
    """
    return images.delete_alias(connection.connect_to(globals(), remote_addr, cert, key, verify_cert), image, alias)
