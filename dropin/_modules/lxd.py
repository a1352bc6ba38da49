"""
The local LXD or Incus server and the trust of other servers, under the names of the functions that Salt 3008 removed.

:depends: lxdapi

``remote_addr`` is the address of a daemon: the path of a socket, or an ``https://`` URL. Default: the local daemon. A
URL requires ``cert`` and ``key``, the paths of the client certificate and its key, which may begin with ``~``.
``verify_cert`` says how the certificate of the server is verified: true by the authorities of the system, false not at
all, and a path by the authority in that file. Default: true.

The functions for containers, profiles, images and snapshots are in the other files ``lxd_*.py``.
"""

from lxdapi.dropin import inputs, server, words
from lxdapi.errors import InvalidError
from lxdapi.minion import connection, remotes
from lxdapi.plan import steps

__version__ = "0.1.0"

_WITHOUT_PYLXD = "lxdapi works without pylxd: see the how-to page about the names of Salt's removed lxd states"


def version():
    """
    Return the version of the local daemon.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.version
    """
    return connection.connect(globals()).server["environment"]["server_version"]


def pylxd_version():
    """
    Raise an error: there is no pylxd.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.pylxd_version
    """
    raise InvalidError(_WITHOUT_PYLXD)


def init(
    storage_backend="dir",
    trust_password=None,
    network_address=None,
    network_port=None,
    storage_create_device=None,
    storage_create_loop=None,
    storage_pool=None,
):
    """
    Set up the local daemon: a storage pool, a network, and a profile ``default`` with a root disk and a network
    interface. Existing objects stay as they are. Returns what was done as text.

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

    CLI Example:

    .. code-block:: bash

        salt-call lxd.init
        salt-call lxd.init dir PaSsW0rD [::]
    """
    address, pool = (network_address, network_port), (storage_create_device, storage_create_loop, storage_pool)
    setup = server.Setup(storage_backend, trust_password, *address, *pool)
    changes = steps.apply(server.plan_init(connection.connect(globals()), setup))
    return "\n".join(f"{label} was {verb}" for label, verb in changes.items()) or "nothing was missing"


def config_set(key, value):
    """
    Set a config key of the local server. Returns a list with a sentence.

    key, value
        The config key and its value.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.config_set core.https_address [::]:8443
        salt-call lxd.config_set core.trust_password blah
    """
    steps.apply(server.plan_config(connection.connect(globals()), key, value))
    return (f'Config value "{key}" successfully set.',)


def config_get(key):
    """
    Return the value of a config key of the local server, empty if it is not set.

    key
        The config key.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.config_get core.https_address
    """
    return server.get_config(connection.connect(globals()), key)


def pylxd_client_get(remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Raise an error: there is no pylxd.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.pylxd_client_get
    """
    raise InvalidError(_WITHOUT_PYLXD)


def pylxd_save_object(obj):
    """
    Raise an error: there is no pylxd, and no ``obj`` of it.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.pylxd_save_object null
    """
    raise InvalidError(_WITHOUT_PYLXD)


def authenticate(remote_addr, password, cert, key, verify_cert=True):
    """
    Make a server trust a client certificate. Returns true.

    password
        Trust password of the server, which only LXD before 6.0 has, or a token.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.authenticate https://host1.example.com:8443 PaSsW0rD ~/client.crt ~/client.key false
    """
    settings = remotes.settings_of_address(remote_addr, cert, key, verify_cert)
    steps.apply(server.plan_authenticated(settings, password, __opts__.get("id") or "salt"))
    return True


def normalize_input_values(config, devices):
    """
    Return the config as a mapping of texts, and the devices.

    config
        Mapping of config keys to values, or a list of mappings with ``key`` and ``value``.
    devices
        Mapping of device names to devices.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.normalize_input_values config={} devices={}
    """
    return inputs.as_texts(config, devices)


def sync_config_devices(obj, newconfig, newdevices, test=False):
    """
    Change the ``config`` and ``devices`` of a mapping to the given ones, without a request. Returns the changes as
    sentences.

    obj
        A container or a profile, as ``container_get`` returns it with ``_raw=True``.
    newconfig, newdevices
        All config keys and devices; others are removed, except for the root disk and the keys of the daemon. Null means
        unchanged.
    test
        Whether to change nothing and return the changes that would be made. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.sync_config_devices '{config: {}, devices: {}}' '{boot.autostart: 1}' null test=true
    """
    return words.synchronize(obj, newconfig, newdevices, bool(test))
