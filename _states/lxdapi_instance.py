"""
Instances of LXD and Incus: containers and virtual machines.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import on_watch
from lxdapi.instances import plan as instances
from lxdapi.instances.spec import InstanceSpec
from lxdapi.minion import connection, state

__version__ = "0.1.0"


@state.with_signature
def present(
    name,
    source=None,
    type=None,
    description=None,
    config=None,
    devices=None,
    profiles=None,
    architecture=None,
    ephemeral=None,
    running=None,
    restart_on_change=False,
    timeout=None,
    renamed_from=None,
    target=None,
    move=False,
    wait_for=None,
    snapshot_before=False,
    reload=None,
    force=False,
    image_changed="ignore",
    replace_partial=False,
    cloud_init=None,
    devices_override=None,
    sensitive=None,
    remote=None,
    project=None,
):
    """
    Ensure that an instance exists with the given settings.

    .. code-block:: yaml

        web1:
          lxdapi_instance.present:
            - source: busybox
            - profiles:
              - default
              - web
            - config:
                limits.memory: 512MiB
                user.owner: null
            - devices:
                data:
                  type: disk
                  source: /srv/data
                  path: /data
            - running: true
            - wait_for:
                ready: true

        web2:
          lxdapi_instance.present:
            - source: images:debian/12

        mail1:
          lxdapi_instance.present:
            - source:
                type: image
                server: https://images.example.com
                protocol: simplestreams
                alias: debian/12

        web3:
          lxdapi_instance.present:
            - source:
                type: copy
                source: web1

        web4:
          lxdapi_instance.present:
            - source: busybox
            - cloud_init:
                user_data:
                  packages: [nginx]
                  write_files:
                    - path: /etc/motd
                      permissions: '0644'
                      content: |
                        This is web4.
                network:
                  version: 2
                  ethernets:
                    eth0:
                      dhcp4: true
            - devices_override:
                root:
                  size: 5GiB

    name
        Name of the instance: 1 to 63 letters, digits or ``-``.
    source
        Source of a new instance: the alias or fingerprint of a local image, ``SERVER:ALIAS`` or ``SERVER:FINGERPRINT``
        for an image of another server, or a mapping in the form of the REST API. The names of servers are those of
        :py:func:`lxdapi_image.present`. A local alias that equals the whole text takes precedence. ``local:ALIAS`` or
        ``{type: image, alias: ALIAS}`` means a local alias, also one that contains a colon.
        ``type: image`` with ``server`` uses an image of another server, ``type: copy`` with ``source`` copies an
        instance, and ``type: backup`` with ``path`` imports a file that ``lxdapi_instance.exported`` wrote, optionally
        with another ``pool``. ``none`` or ``type: none`` creates an empty instance. The source of an existing instance
        is not compared; see ``image_changed``. Default: none declared; a new instance requires one.
    type
        ``container``, ``virtual-machine`` or ``vm``. Default: ``container``.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` removes a key; an empty
        mapping removes all keys except ``volatile.*``, ``image.*`` and ``oci.*``. Default: unchanged.
    devices
        Mapping of device names to devices. Devices, and keys of a device, that are not declared stay unchanged;
        ``null`` removes a device or a key; ``{type: none}`` disables a device of a profile. Default: unchanged.
    profiles
        Complete list of profiles; the order matters. Default: unchanged; ``default`` for a new instance.
    architecture
        Architecture, such as ``x86_64``. Default: that of the image.
    ephemeral
        Whether the daemon deletes the instance when it stops. Default: unchanged; false for a new instance.
    running
        Whether the instance is running at the end: true starts it, false stops it. Changes to a stopped instance are
        made before it starts. Default: unchanged; a new instance is not started.
    restart_on_change
        Whether to stop a running instance, change it and start it again if a changed key takes effect only at a start
        (``security.nesting``, ``limits.kernel.*``, ``raw.lxc`` and others), or if a virtual machine has to be stopped
        for the change. Otherwise the comment names those keys and devices. Default: false.
    timeout
        Seconds to wait for the creation (default: 600), and for the shutdown of a restart after a change in ``watch``
        (default: 30).
    renamed_from
        Former name: if no instance exists under ``name``, the state renames the instance with the former name. The
        daemon only renames stopped instances. Default: no rename.
    target
        Name of the cluster member for a new instance, or ``@group`` for any member of a cluster group. Default: chosen
        by the daemon.
    move
        Whether to move an existing instance to ``target``. A running instance is stopped for the move and started
        again. In a group, the instance moves to the online member with the fewest instances. Otherwise the instance
        stays, and the comment says where it is. Default: false.
    wait_for
        Conditions that a running instance must meet at the end. A mapping, or a list of mappings, with these keys:
        ``ipv4`` or ``ipv6`` (name of the network interface inside that gets such an address), ``agent: true``, ``ready:
        true``, ``cloud-init: true``, ``cmd`` (command inside that must succeed), ``port`` (TCP port on which a process
        inside listens), and ``timeout`` (seconds for each mapping; default: 60). If a condition is not met in time, the
        state fails and reports the last observation. Test mode does not wait. Default: no wait.
    snapshot_before
        Whether to create a snapshot (``lxdapi-before-NUMBER``) before an existing instance is changed. If the change
        fails, the instance is restored from the snapshot; otherwise the snapshot expires after seven days. Default:
        false.
    reload
        Command to run inside the instance, instead of a restart, after a change in the ``watch`` requisite of the
        state. Default: restart.
    force
        Whether to force the stop of that restart if the instance does not shut down within ``timeout``. Default: false.
    image_changed
        Action if ``source`` now means another image than the one that the instance was created from: ``ignore``;
        ``report`` names the image in the comment; ``rebuild`` rebuilds the instance from the new image, which deletes
        the data on its root disk and keeps config, devices, profiles and addresses. A rebuild requires the API
        extension ``instances_rebuild`` and an instance without snapshots. Default: ``ignore``.
    replace_partial
        Whether to delete an instance that looks like a partial creation, with all of its data, and create it again. A
        daemon that dies during a creation leaves such an instance: it was never started, and its config lacks the keys
        that the end of a creation writes. If lxdapi created the instance, the state needs no permission: it accepts an
        instance whose root file system is readable, and deletes and creates one whose root file system was never
        filled. Any other instance (a virtual machine, one that lxdapi did not create, one with a backup, one whose
        rename was cut off) may hold data, so the state fails: start the instance once if it is good, or set this
        parameter. Default: false.
    cloud_init
        Data that cloud-init uses at the first start of the instance: a mapping of ``user_data``, ``vendor_data`` and
        ``network``, each a mapping. lxdapi writes them to the config keys ``cloud-init.user-data`` (with
        ``#cloud-config``), ``cloud-init.vendor-data`` and ``cloud-init.network-config``, or to ``user.user-data`` and
        the like on a daemon without the API extension ``cloud_init``. ``config`` must not contain the same key. Values
        are compared as YAML; ``null`` removes one. Text is used verbatim (``#!/bin/sh``, ``## template: jinja``, ...).
        Default: unchanged.
    devices_override
        Mapping of the names of profile devices to keys that differ in this instance. The device becomes a device of the
        instance, with the keys of the last profile that has it, updated in each run, and with these keys; ``null``
        omits a key. A device must not be in ``devices`` too, and a profile must have it. Default: none.
    sensitive
        Further keys of ``config`` and of devices (``DEVICE.KEY``) to mask in changes, comments and errors: a list of
        names or shell-style patterns (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    fields = dict(type=type, description=description, config=config, devices=devices, profiles=profiles)
    fields.update(architecture=architecture, ephemeral=ephemeral)
    how = dict(source=source, running=running, restart_on_change=restart_on_change, timeout=timeout, target=target)
    how.update(renamed_from=renamed_from, move=move, wait_for=wait_for, snapshot_before=snapshot_before)
    how.update(image_changed=image_changed, replace_partial=replace_partial, cloud_init=cloud_init)

    def plan():
        on_watch.parse(reload, timeout, force)
        spec = InstanceSpec.parse(fields, **how, devices_override=devices_override)
        return instances.plan_present(connection.connect(globals(), remote, project), name, spec)

    return state.run_plan(globals(), "instance", name, plan, sensitive)


def absent(name, force=False, remote=None, project=None):
    """
    Ensure that an instance does not exist. Its snapshots are deleted too.

    .. code-block:: yaml

        web1:
          lxdapi_instance.absent:
            - force: true

    name
        Name of the instance.
    force
        Whether to force a running instance to stop first. Otherwise the state fails for a running instance. Default:
        false.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.run(
        globals(), "instance", name, lambda api: instances.plan_absent(api, name, force), remote=remote, project=project
    )


def running(name, timeout=None, wait_for=None, reload=None, force=False, remote=None, project=None):
    """
    Ensure that an existing instance is running. A frozen instance is unfrozen; ``Ready`` counts as running.

    .. code-block:: yaml

        web1:
          lxdapi_instance.running:
            - wait_for:
                ready: true
                timeout: 30

    name
        Name of the instance.
    timeout
        Seconds to wait for the start (default: 120), and for the shutdown of a restart after a change in ``watch``
        (default: 30).
    wait_for, reload, force
        See :py:func:`lxdapi_instance.present`. ``force`` applies to the restart only.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return _run_power_state(name, "Running", timeout, False, remote, project, wait_for, (reload, timeout, force))


def stopped(name, timeout=None, force=False, remote=None, project=None):
    """
    Ensure that an existing instance is stopped.

    .. code-block:: yaml

        web1:
          lxdapi_instance.stopped:
            - timeout: 10
            - force: true

    name
        Name of the instance. The state fails for an ephemeral instance, because a stop would delete it.
    timeout
        Seconds to wait for the instance to shut down. Default: 30.
    force
        Whether to force the stop after ``timeout``; ``changes`` then contains ``forced``. With ``timeout: 0`` the stop
        is forced at once. Default: false.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return _run_power_state(name, "Stopped", timeout, force, remote, project)


def frozen(name, timeout=None, remote=None, project=None):
    """
    Ensure that an existing instance is frozen. A stopped instance is started first.

    .. code-block:: yaml

        web1:
          lxdapi_instance.frozen

    name
        Name of the instance.
    timeout
        Seconds to wait for the operation. Default: 120.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return _run_power_state(name, "Frozen", timeout, False, remote, project)


def _run_power_state(name, goal, timeout, force, remote, project, wait_for=None, watch=()):
    def plan():
        on_watch.parse(*watch)
        return instances.plan_power(
            connection.connect(globals(), remote, project), name, goal, timeout, force, wait_for
        )

    return state.run_plan(globals(), "instance", name, plan)
