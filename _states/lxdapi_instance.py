"""
Instances of LXD and Incus as declared: containers and virtual machines.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import on_watch
from lxdapi.instances import plan as instances
from lxdapi.instances.spec import InstanceSpec
from lxdapi.minion import connection, state


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
        Of the instance: 1 to 63 letters, digits or ``-``.
    source
        What a new one is made from: the alias or the fingerprint of an image of the daemon; a REST
        source (``type: image`` with ``server`` for another server's image, ``type: copy`` with
        ``source`` for a copy of an instance); ``type: backup`` with the ``path`` of a file that
        ``exported`` made, and with ``pool`` if it shall be on another one; None for an empty one. Not
        looked at afterwards.
    type
        ``container`` or ``virtual-machine`` (or ``vm``); None: a container.
    description
        Text; "" clears it.
    config
        A mapping of keys to values. Other keys are left alone; ``null`` removes one; an empty
        mapping removes all but ``volatile.*`` and ``image.*``.
    devices
        A mapping of names to devices. Other devices, and other keys of a device, are left alone;
        ``null`` removes one; ``{type: none}`` masks one of a profile.
    profiles
        A list, of which the order counts. None: left alone, ``default`` for a new one.
    architecture
        Such as ``x86_64``; None: the image's.
    ephemeral
        True: the daemon deletes it when it stops.
    running
        True: it runs in the end; False: it is stopped; None: left alone (a new one is not
        started). Changes to a stopped instance are made before it is started.
    restart_on_change
        True: an instance that runs is stopped, changed and started where a changed key takes effect
        at a start only (``security.nesting``, ``raw.lxc``, ...). False: the comment says so.
    timeout
        Seconds for the creation; 600. When what it watches has changed, those that it has to shut down; 30.
    renamed_from
        The name of one that is to become this one, if this one does not exist yet; the daemon renames only
        one that is stopped.
    target
        The member of the cluster that a new one is made on, or ``@group`` for one of these members. None: the
        daemon's choice.
    move
        True: an existing one that is elsewhere is moved to the target; one that runs is stopped for that and
        started again. Within a group it goes to the member that is online and has the fewest instances. False: it
        stays where it is, and the comment says so.
    wait_for
        What is waited for in the end, of one that runs: a mapping, or a list of them, of ``ipv4`` or ``ipv6`` (the nic
        inside that has such an address), ``agent: true``, ``ready: true``, ``cloud-init: true``, ``cmd`` (a command
        inside that succeeds), ``port`` (of TCP, somebody inside listens), and ``timeout`` (seconds for each; 60). Where
        it does not come about the state fails, and tells what was seen. The test mode does not wait.
    snapshot_before
        True: before an existing one is changed a snapshot is made (``lxdapi-before-NUMBER``), from which it is restored
        if the change fails, and which stays for seven days else.
    reload
        A command that runs inside instead of a restart when something in the ``watch`` of the state has changed.
    force
        True: in that restart it is stopped by force where it does not shut down within ``timeout``.
    image_changed
        What is done where the source means another image by now than the instance was made of: ``ignore``;
        ``report``: the comment says so; ``rebuild``: it is made anew from that one, which empties its root disk and
        keeps config, devices, profiles and addresses (API extension ``instances_rebuild``; not one with snapshots).
    replace_partial
        What is done with an instance that looks like a partial creation, which a daemon leaves that dies while it
        creates one: never started, and without the keys in its config that the end of a creation writes. If lxdapi
        created it and its root file system was never filled, it is deleted and created anew in any case; if it can be
        read, it is complete. For any other (a virtual machine, one that lxdapi did not create, one with a backup) the
        state fails, because it may hold data; start it once if it is good. True: it is deleted, with all that is in
        it, and created anew. Default: false.
    cloud_init
        What cloud-init shall do when the instance starts for the first time, as data: ``user_data``, ``vendor_data``
        and ``network``, each a mapping. They become ``cloud-init.user-data`` (``#cloud-config``),
        ``cloud-init.vendor-data`` and ``cloud-init.network-config`` of ``config``, where the same key is refused then;
        where the daemon lacks the API extension ``cloud_init``, ``user.user-data`` and so on. They are compared as
        YAML; ``null`` removes one. A text is taken as it is (``#!/bin/sh``, ``## template: jinja``, ...).
    devices_override
        A mapping of names of devices of the profiles to keys that are otherwise here: the device becomes one of the
        instance, with all keys that the last profile that has it gives it at each run, and these; ``null`` leaves one
        out. What ``devices`` has as well, or no profile has, is refused.
    sensitive
        More keys of ``config`` and of devices (``DEVICE.KEY``) to mask in changes, comments and errors, as names
        or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
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
    Ensure that an instance does not exist, with all of its snapshots.

    .. code-block:: yaml

        web1:
          lxdapi_instance.absent:
            - force: true

    name
        Of the instance.
    force
        True: one that runs is stopped by force first. False: it is refused.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.run(
        globals(), "instance", name, lambda api: instances.plan_absent(api, name, force), remote=remote, project=project
    )


def running(name, timeout=None, wait_for=None, reload=None, force=False, remote=None, project=None):
    """
    Ensure that an existing instance runs; a frozen one is thawed, ``Ready`` is running.

    .. code-block:: yaml

        web1:
          lxdapi_instance.running:
            - wait_for:
                ready: true
                timeout: 30

    name
        Of the instance.
    timeout
        Seconds; 120. When what it watches has changed, those that it has to shut down; 30.
    wait_for, reload, force
        See :py:func:`lxdapi_instance.present`; nothing but the restart is forced.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return _reached(name, "Running", timeout, False, remote, project, wait_for, (reload, timeout, force))


def stopped(name, timeout=None, force=False, remote=None, project=None):
    """
    Ensure that an existing instance is stopped.

    .. code-block:: yaml

        web1:
          lxdapi_instance.stopped:
            - timeout: 10
            - force: true

    name
        Of the instance. An ephemeral one is refused: a stop would delete it.
    timeout
        Seconds that it has to shut down; 30.
    force
        True: then it is stopped by force, and ``changes`` says so; with ``timeout: 0`` at once.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return _reached(name, "Stopped", timeout, force, remote, project)


def frozen(name, timeout=None, remote=None, project=None):
    """
    Ensure that an existing instance is frozen; a stopped one is started first.

    .. code-block:: yaml

        web1:
          lxdapi_instance.frozen

    name
        Of the instance.
    timeout
        Seconds; 120.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return _reached(name, "Frozen", timeout, False, remote, project)


def _reached(name, goal, timeout, force, remote, project, wait_for=None, watch=()):
    def plan():
        on_watch.parse(*watch)
        return instances.plan_power(
            connection.connect(globals(), remote, project), name, goal, timeout, force, wait_for
        )

    return state.run_plan(globals(), "instance", name, plan)
