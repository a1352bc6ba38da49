"""
Containers of LXD and Incus, under the names of the functions that Salt 3008 removed.

:depends: lxdapi

``remote_addr``, ``cert``, ``key`` and ``verify_cert`` are those of the execution module ``lxd``.

The functions see containers only, no virtual machines. Where they return a container, its secret values are not masked.
"""

from lxdapi.dropin import containers, errors, inputs, objects
from lxdapi.errors import InvalidError
from lxdapi.instances import plan as instances
from lxdapi.instances import power, rename
from lxdapi.minion import connection
from lxdapi.plan import steps

__version__ = "0.1.0"
__virtualname__ = "lxd"


def __virtual__():
    """Add these functions to those of ``lxd``."""
    return __virtualname__


def container_list(list_names=False, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Return all containers.

    list_names
        Whether to return only their names. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_list
        salt-call lxd.container_list true
    """
    found = objects.list_containers(connection.connect_to(globals(), remote_addr, cert, key, verify_cert))
    return list(found) if list_names else list(found.values())


def container_create(
    name,
    source,
    profiles=None,
    config=None,
    devices=None,
    architecture="x86_64",
    ephemeral=False,
    wait=True,
    remote_addr=None,
    cert=None,
    key=None,
    verify_cert=True,
    _raw=False,
):
    """
    Create a container and wait for it. Returns the container. Raises an error if the name exists.

    name
        Name of the container.
    source
        See :py:func:`lxd_container.present`.
    profiles
        List of profiles. Default: ``default``.
    config
        Mapping of config keys to values, or a list of mappings with ``key`` and ``value``. Default: none.
    devices
        Mapping of device names to devices. Default: none.
    architecture
        See :py:func:`lxd_container.present`. Default: ``x86_64``.
    ephemeral
        Whether the daemon deletes the container when it stops. Default: false.
    wait
        Has no effect: the function always waits. Default: true.
    _raw
        Has no effect: there are no objects of pylxd. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_create web1 busybox
    """
    declared = inputs.container_fields(config, devices, profiles, architecture, ephemeral)
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    settings = {**declared, "source": source or None}
    steps.apply(instances.plan_create_new(api, name, settings))
    return objects.require(api, objects.CONTAINER, name)


def container_get(name=None, remote_addr=None, cert=None, key=None, verify_cert=True, _raw=False):
    """
    Return a list with a mapping of the name of a container to the container. Raises an error if it does not exist.

    name
        Name of the container. Default: all containers.
    _raw
        Whether to return the container itself, or a list of the containers. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_get web1
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    if name is None:
        found = objects.list_containers(api)
        return list(found.values()) if _raw else [{each: found[each]} for each in found]
    container = objects.require(api, objects.CONTAINER, name)
    return container if _raw else [{name: container}]


def container_delete(name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Delete a stopped container and its snapshots. Returns true. Raises an error if it does not exist or runs.

    name
        Name of the container.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_delete web1
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    status = objects.require(api, objects.CONTAINER, name)["status"]
    if status != "Stopped":
        raise InvalidError(f"container {name} is {status}: stop it first, with lxd.container_stop")
    return bool(steps.apply(instances.plan_absent(api, name)))


def container_rename(name, newname, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Rename a stopped container. Returns the container.

    name, newname
        The name of the container and its new name.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_rename web1 web2
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    status = objects.require(api, objects.CONTAINER, name)["status"]
    if status != "Stopped":
        raise errors.invalid(f"Can't rename the container '{name}': it is {status}")
    steps.apply(rename.plan_rename(api, name, newname))
    return objects.require(api, objects.CONTAINER, newname)


def container_state(name=None, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Return a list with a mapping of the name of a container to its state: memory, network, processes and the like.

    name
        Name of the container. Default: all containers.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_state web1
    """
    return objects.list_states(connection.connect_to(globals(), remote_addr, cert, key, verify_cert), name)


def _act(address, name, plan):
    """Apply the steps of a plan to a container and return the container."""
    api = connection.connect_to(globals(), *address)
    objects.require(api, objects.CONTAINER, name)
    steps.apply(plan(api))
    return objects.require(api, objects.CONTAINER, name)


def container_start(name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Start a container; a frozen container is unfrozen. Returns the container.

    name
        Name of the container.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_start web1
    """
    return _act((remote_addr, cert, key, verify_cert), name, lambda api: power.plan_status(api, name, "Running"))


def container_stop(name, timeout=30, force=True, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Stop a container. Returns the container. Raises an error for an ephemeral container, because a stop would delete it.

    name
        Name of the container.
    timeout
        Seconds to wait for the container to shut down. Default: 30.
    force
        Whether to force the stop after ``timeout``. Default: true.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_stop web1 timeout=5
    """
    return _act(
        (remote_addr, cert, key, verify_cert), name, lambda api: power.plan_status(api, name, "Stopped", timeout, force)
    )


def container_restart(name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Restart a container, by force after 30 seconds; a stopped container is started. Returns the container.

    name
        Name of the container.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_restart web1
    """
    return _act(
        (remote_addr, cert, key, verify_cert),
        name,
        lambda api: power.plan_restart(api, name, containers.STOP_SECONDS, True),
    )


def container_freeze(name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Freeze a container; a stopped container is started first. Returns the container.

    name
        Name of the container.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_freeze web1
    """
    return _act((remote_addr, cert, key, verify_cert), name, lambda api: power.plan_status(api, name, "Frozen"))


def container_unfreeze(name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Unfreeze a container; any other container stays as it is. Returns the container.

    name
        Name of the container.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_unfreeze web1
    """
    return _act((remote_addr, cert, key, verify_cert), name, lambda api: power.plan_unfreeze(api, name))


def container_migrate(
    name,
    stop_and_start=False,
    remote_addr=None,
    cert=None,
    key=None,
    verify_cert=True,
    src_remote_addr=None,
    src_cert=None,
    src_key=None,
    src_verify_cert=None,
):
    """
    Move a container to another daemon. Returns the container.

    name
        Name of the container.
    stop_and_start
        Whether to stop a running container for the migration and start it on the other daemon. Otherwise a running
        container is an error. Default: false.
    src_remote_addr
        Address of the daemon that the container comes from. Default: the local daemon.
    src_cert, src_key, src_verify_cert
        Those of that daemon. Default: ``cert``, ``key`` and ``verify_cert``.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_migrate web1 stop_and_start=true remote_addr=/run/other/unix.socket
    """
    origin = (cert if src_cert is None else src_cert, key if src_key is None else src_key)
    verify = verify_cert if src_verify_cert is None else src_verify_cert
    source_api = connection.connect_to(globals(), src_remote_addr, *origin, verify)
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    steps.apply(containers.plan_migrated(source_api, api, name, stop_and_start))
    return objects.require(api, objects.CONTAINER, name)


def container_config_get(name, config_key, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Return the value of a config key of a container. Raises an error if the container does not have the key itself.

    name
        Name of the container.
    config_key
        The config key.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_config_get web1 boot.autostart
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return objects.get_item(api, objects.CONTAINER, name, "config", config_key)


def container_config_set(name, config_key, config_value, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Set a config key of a container. Returns the container.

    name
        Name of the container.
    config_key, config_value
        The config key and its value.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_config_set web1 boot.autostart 0
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return objects.set_key(api, objects.CONTAINER, name, config_key, config_value)


def container_config_delete(name, config_key, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Remove a config key of a container. Returns true. Raises an error if the container does not have the key itself.

    name
        Name of the container.
    config_key
        The config key.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_config_delete web1 boot.autostart
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return objects.delete_item(api, objects.CONTAINER, name, "config", config_key)


def container_device_get(name, device_name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Return a device of a container. Raises an error if the container does not have the device itself.

    name
        Name of the container.
    device_name
        Name of the device.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_device_get web1 eth0
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return objects.get_item(api, objects.CONTAINER, name, "devices", device_name)


def container_device_add(
    name, device_name, device_type="disk", remote_addr=None, cert=None, key=None, verify_cert=True, **kwargs
):
    """
    Set a device of a container, as a whole. Returns the container.

    name
        Name of the container.
    device_name
        Name of the device.
    device_type
        Type of the device. Default: ``disk``.
    kwargs
        The keys of the device.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_device_add web1 eth1 nic nictype=bridged parent=lxdbr0
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return objects.set_device(api, objects.CONTAINER, name, device_name, inputs.device(device_type, kwargs))


def container_device_delete(name, device_name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Remove a device of a container. Returns true. Raises an error if the container does not have the device itself.

    name
        Name of the container.
    device_name
        Name of the device.

    CLI Example:

    .. code-block:: bash

        salt-call lxd.container_device_delete web1 eth1
    """
    api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
    return objects.delete_item(api, objects.CONTAINER, name, "devices", device_name)
