"""
The first setup, the configuration and the trust of LXD and Incus servers, under the names of the states that Salt 3008
removed.

:depends: lxdapi; cryptography for a new key
"""

from functools import partial

from lxdapi.dropin import server, words
from lxdapi.minion import connection, remotes, state

__version__ = "0.1.0"


def init(
    name,
    storage_backend="dir",
    trust_password=None,
    network_address=None,
    network_port=None,
    storage_create_device=None,
    storage_create_loop=None,
    storage_pool=None,
    done_file="%SALT_CONFIG_DIR%/lxd_initialized",
):
    """
    Ensure that the local daemon was set up once: it has a storage pool, a network, and a profile ``default`` with a
    root disk and a network interface. The state adds what is missing and changes nothing else.

    .. code-block:: yaml

        lxd:
          lxd.init:
            - storage_backend: dir
            - network_address: 127.0.0.1

    name
        Any name; it only appears in messages.
    storage_backend
        Driver of a new storage pool. Default: ``dir``.
    trust_password
        Password with which clients become trusted; only LXD before 6.0 has one. Default: none.
    network_address, network_port
        Address and port on which the daemon listens. Default: the daemon does not listen; port 8443.
    storage_create_device
        Disk for a new storage pool. Default: the choice of the driver.
    storage_create_loop
        Size of a new storage pool in a file, in GiB. Default: the choice of the driver.
    storage_pool
        Name of the storage pool. Default: an existing one, otherwise ``default``.
    done_file
        File that the state writes after the setup. While it exists, the state does nothing. ``%SALT_CONFIG_DIR%`` means
        ``/etc/salt``. Default: ``%SALT_CONFIG_DIR%/lxd_initialized``.
    """
    address, pool = (network_address, network_port), (storage_create_device, storage_create_loop, storage_pool)
    setup = server.Setup(storage_backend, trust_password, *address, *pool)
    path = done_file.replace("%SALT_CONFIG_DIR%", "/etc/salt")

    plan = partial(server.plan_marked, partial(connection.connect, globals()), setup, path)
    return state.run_for_dropin(globals(), "daemon", name, plan, words.of_init)


def config_managed(name, value, force_password=False):
    """
    Ensure that a config key of the local server has a value.

    .. code-block:: yaml

        images.auto_update_interval:
          lxd.config_managed:
            - value: 0

    name
        Config key of the server.
    value
        Value of the key.
    force_password
        Whether to set ``core.trust_password`` in each run, because the daemon does not show it. Otherwise the state
        sets it only if none is set. Default: false.
    """

    def plan():
        return server.plan_config(connection.connect(globals()), name, value, bool(force_password))

    return state.run_for_dropin(globals(), "server", name, plan, words.of_config)


def authenticate(name, remote_addr, password, cert, key, verify_cert=True):
    """
    Ensure that a server trusts a client certificate.

    .. code-block:: yaml

        host1:
          lxd.authenticate:
            - remote_addr: https://host1.example.com:8443
            - password: __slot__:salt:config.get(host1_password)
            - cert: ~/.config/lxc/client.crt
            - key: ~/.config/lxc/client.key
            - verify_cert: false

    name
        Any name; it only appears in messages.
    remote_addr
        The ``https://`` URL of the server.
    password
        Trust password of the server, which only LXD before 6.0 has, or a token.
    cert, key
        Paths of the client certificate and its key, which must exist. They may begin with ``~``.
    verify_cert
        Whether to verify the certificate of the server, or the path of an authority. Default: true.
    """

    def plan():
        settings = remotes.settings_of_address(remote_addr, cert, key, verify_cert)
        return server.plan_authenticated(settings, password, __opts__.get("id") or "salt")

    return state.run_for_dropin(globals(), "client of", name, plan, words.of_trust(remote_addr))
