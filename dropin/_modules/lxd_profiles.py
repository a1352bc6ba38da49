"""
Profiles of LXD and Incus, under the names of the functions that Salt 3008 removed.

:depends: lxdapi

``remote_addr``, ``cert``, ``key`` and ``verify_cert`` are those of the execution module ``lxd``.
"""

from lxdapi.dropin import inputs, objects
from lxdapi.minion import connection
from lxdapi.model import listing
from lxdapi.plan import converge, steps

__version__ = "0.1.0"
__virtualname__ = "lxd"


def __virtual__():
    """Add these functions to those of ``lxd``."""
    return __virtualname__


def profile_list(list_names=False, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Return all profiles.

    list_names
        Whether to return only their names. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.profile_list true
    """
    profiles = listing.list_objects(connection.connect_to(globals(), remote_addr, cert, key, verify_cert), "profile")
    return list(profiles) if list_names else list(profiles.values())


def profile_create(
    name, config=None, devices=None, description=None, remote_addr=None, cert=None, key=None, verify_cert=True
):
    """
    Create a profile. Returns the profile. Raises an error if the name exists.

    name
        Name of the profile.
    config
        Mapping of config keys to values, or a list of mappings with ``key`` and ``value``. Default: none.
    devices
        Mapping of device names to devices. Default: none.
    description
        Description. Default: none.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.profile_create web config='{boot.autostart: 1}'
        salt-call lxd.profile_create web devices='{data: {type: disk, source: /srv/data, path: /data}}'
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    declared = inputs.fields("profile", config, devices, {"description": description})
    steps.apply(converge.plan_create_new(api, "profile", name, declared))
    return objects.require(api, objects.PROFILE, name)


def profile_get(name, remote_addr=None, cert=None, key=None, verify_cert=True, _raw=False):
    """
    Return a profile. Raises an error if it does not exist.

    name
        Name of the profile.
    _raw
        Has no effect: there are no objects of pylxd. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.profile_get web
    """
    return objects.require(connection.connect_to(globals(), remote_addr, cert, key, verify_cert), objects.PROFILE, name)


def profile_delete(name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Delete a profile. Returns true. Raises an error if it does not exist or is in use.

    name
        Name of the profile.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.profile_delete web
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    objects.require(api, objects.PROFILE, name)
    return bool(steps.apply(converge.plan_absent(api, "profile", name)))


def profile_config_get(name, config_key, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Return the value of a config key of a profile. Raises an error if the profile does not have the key itself.

    name
        Name of the profile.
    config_key
        The config key.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.profile_config_get web1 boot.autostart
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return objects.get_item(api, objects.PROFILE, name, "config", config_key)


def profile_config_set(name, config_key, config_value, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Set a config key of a profile. Returns the profile.

    name
        Name of the profile.
    config_key, config_value
        The config key and its value.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.profile_config_set web1 boot.autostart 0
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return objects.set_key(api, objects.PROFILE, name, config_key, config_value)


def profile_config_delete(name, config_key, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Remove a config key of a profile. Returns true. Raises an error if the profile does not have the key itself.

    name
        Name of the profile.
    config_key
        The config key.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.profile_config_delete web1 boot.autostart
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return objects.delete_item(api, objects.PROFILE, name, "config", config_key)


def profile_device_get(name, device_name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Return a device of a profile. Raises an error if the profile does not have the device itself.

    name
        Name of the profile.
    device_name
        Name of the device.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.profile_device_get web1 eth0
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return objects.get_item(api, objects.PROFILE, name, "devices", device_name)


def profile_device_set(
    name, device_name, device_type="disk", remote_addr=None, cert=None, key=None, verify_cert=True, **kwargs
):
    """
    Set a device of a profile, as a whole. Returns the profile.

    name
        Name of the profile.
    device_name
        Name of the device.
    device_type
        Type of the device. Default: ``disk``.
    kwargs
        The keys of the device.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.profile_device_set web1 eth1 nic nictype=bridged parent=lxdbr0
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return objects.set_device(api, objects.PROFILE, name, device_name, inputs.device(device_type, kwargs))


def profile_device_delete(name, device_name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Remove a device of a profile. Returns true. Raises an error if the profile does not have the device itself.

    name
        Name of the profile.
    device_name
        Name of the device.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.profile_device_delete web1 eth1
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return objects.delete_item(api, objects.PROFILE, name, "devices", device_name)
