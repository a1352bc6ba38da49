"""
Containers of LXD and Incus, under the names of the states that Salt 3008 removed.

:depends: lxdapi

``remote_addr``, ``cert``, ``key`` and ``verify_cert`` are those of the execution module ``lxd``.
"""

from lxdapi.dropin import containers, inputs, words
from lxdapi.minion import connection, state

__version__ = "0.1.0"


def present(
    name,
    running=None,
    source=None,
    profiles=None,
    config=None,
    devices=None,
    architecture="x86_64",
    ephemeral=False,
    restart_on_change=False,
    remote_addr=None,
    cert=None,
    key=None,
    verify_cert=True,
):
    """
    Ensure that a container exists with the given settings.

    .. code-block:: yaml

        web1:
          lxd_container.present:
            - running: true
            - source: busybox
            - profiles: [default, web]
            - config:
              - key: boot.autostart
                value: 1
            - devices:
                data:
                  type: disk
                  source: /tmp
                  path: /data

        web2:
          lxd_container.present:
            - source:
                type: copy
                source: web1

        web3:
          lxd_container.present:
            - source:
                type: image
                properties:
                  os: Busybox

    name
        Name of the container.
    running
        Whether the container is running at the end. A stop is forced after 30 seconds. Default: unchanged; a new
        container is not started.
    source
        Source of a new container: the alias of an image, or a mapping in the form of the REST API, with the ``type``
        ``image`` (and ``alias``, ``fingerprint`` or ``properties``), ``copy`` (and ``source``) or ``none``. The source
        of an existing container is ignored. Default: the container must exist.
    profiles
        Complete list of profiles, in their order. Default: ``default``.
    config
        Mapping of all config keys to their values, or a list of mappings with ``key`` and ``value``. Other keys are
        removed, except for those of the daemon (``volatile.*``, ``image.*``). Default: unchanged.
    devices
        Mapping of all device names to devices. Other devices, and other keys of a device, are removed, except for the
        root disk. Default: unchanged.
    architecture
        One of ``unknown``, ``i686``, ``x86_64``, ``armv7l``, ``aarch64``, ``ppc``, ``ppc64``, ``ppc64le`` and
        ``s390x``. It has no effect, because every image has its own. Default: ``x86_64``.
    ephemeral
        Whether the daemon deletes a new container when it stops. Default: false.
    restart_on_change
        Whether to restart a running container after any change. Default: false.
    """

    def plan():
        declared = inputs.container_fields(config, devices, profiles, architecture, ephemeral)
        api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
        return containers.plan_present(api, name, declared, source, running, restart_on_change)

    return state.run_for_dropin(globals(), "instance", name, plan, words.of_container)


def absent(name, stop=False, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Ensure that a container does not exist. Its snapshots are deleted too.

    .. code-block:: yaml

        web1:
          lxd_container.absent:
            - stop: true

    name
        Name of the container. A virtual machine with this name stays.
    stop
        Whether to stop a running container first, by force. Otherwise the state fails for it. Default: false.
    """
    return _run(name, words.of_deletion, (remote_addr, cert, key, verify_cert), containers.plan_absent, stop)


def running(name, restart=False, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Ensure that an existing container is running. A frozen container is unfrozen.

    .. code-block:: yaml

        web1:
          lxd_container.running

    name
        Name of the container.
    restart
        Whether to restart a container that is running, in each run. Default: false.
    """
    return _run(name, words.of_running, (remote_addr, cert, key, verify_cert), containers.plan_running, restart)


def frozen(name, start=True, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Ensure that an existing container is frozen.

    .. code-block:: yaml

        web1:
          lxd_container.frozen

    name
        Name of the container.
    start
        Whether to start a stopped container first. Otherwise the state fails for it. Default: true.
    """
    return _run(name, words.of_frozen, (remote_addr, cert, key, verify_cert), containers.plan_frozen, start)


def stopped(name, kill=False, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Ensure that an existing container is stopped.

    .. code-block:: yaml

        web1:
          lxd_container.stopped:
            - kill: true

    name
        Name of the container. The state fails for an ephemeral container, because a stop would delete it.
    kill
        Whether to stop it by force and at once. Otherwise the state waits 30 seconds for it. Default: false.
    """
    return _run(name, words.of_stopped, (remote_addr, cert, key, verify_cert), containers.plan_stopped, kill)


def _run(name, words_of, address, plan, option):
    """Return Salt's answer for a state with one option."""
    return state.run_for_dropin(
        globals(), "instance", name, lambda: plan(connection.connect_to(globals(), *address), name, option), words_of
    )


def migrated(
    name,
    remote_addr,
    cert,
    key,
    verify_cert,
    src_remote_addr,
    stop_and_start=False,
    src_cert=None,
    src_key=None,
    src_verify_cert=None,
):
    """
    Ensure that a container is on one daemon, and no longer on the daemon that it comes from.

    .. code-block:: yaml

        web1:
          lxd_container.migrated:
            - src_remote_addr: https://host1.example.com:8443
            - remote_addr: https://host2.example.com:8443
            - cert: ~/.config/lxc/client.crt
            - key: ~/.config/lxc/client.key
            - verify_cert: false
            - stop_and_start: true

    name
        Name of the container.
    src_remote_addr
        Address of the daemon that the container comes from.
    stop_and_start
        Whether to stop a running container for the migration and start it on the other daemon. Otherwise the state
        fails for it. Default: false.
    src_cert, src_key, src_verify_cert
        Those of the daemon that the container comes from. Default: ``cert``, ``key`` and ``verify_cert``.
    """

    def plan():
        origin = (cert if src_cert is None else src_cert, key if src_key is None else src_key)
        verify = verify_cert if src_verify_cert is None else src_verify_cert
        source_api = connection.connect_to(globals(), src_remote_addr, *origin, verify)
        target_api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
        return containers.plan_migrated(source_api, target_api, name, stop_and_start)

    return state.run_for_dropin(globals(), "instance", name, plan, words.of_migration(src_remote_addr, remote_addr))
