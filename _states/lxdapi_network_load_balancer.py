"""
Network load balancers of LXD and Incus as declared: ports of an address, spread over backends (OVN networks).

:depends: requests, requests-unixsocket; an OVN network and the API extension
    network_load_balancer (LXD 5.1 or newer, every Incus)
"""

from lxdapi.minion import state


def present(
    name,
    backends=None,
    ports=None,
    description=None,
    config=None,
    purge=False,
    sensitive=None,
    remote=None,
    project=None,
):
    """
    Ensure that a network load balancer exists with the given backends and ports.

    .. code-block:: yaml

        ovn0/192.0.2.20:
          lxdapi_network_load_balancer.present:
            - backends:
              - name: web1
                target_address: 10.78.0.5
                target_port: 8080
              - name: web2
                target_address: 10.78.0.6
                target_port: 8080
            - ports:
              - protocol: tcp
                listen_port: 80
                target_backend: [web1, web2]

    name
        ``NETWORK/ADDRESS``: the network, and the address that is listened on.
    backends
        A list of backends. Of a backend ``name`` says which one it is; ``target_address``, ``target_port``
        and ``description`` are changed where they differ. Others are left alone, unless ``purge`` is true;
        an empty list removes all.
    ports
        A list of ports. Of a port ``protocol`` and ``listen_port`` say which one it is; ``target_backend`` (names
        of backends) and ``description`` are changed where they differ. Other ports are left alone, unless
        ``purge`` is true; an empty list removes all.
    description
        Text; "" clears it.
    config
        A mapping of keys to values. Other keys are left alone; ``null`` removes one; an empty mapping
        removes all.
    purge
        True: backends and ports that are not declared are removed.
    sensitive
        More keys of ``config`` to mask in changes, comments and errors, as names or patterns (``user.db_*``).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    declared = {"backends": backends, "ports": ports, "description": description, "config": config}
    return state.present(
        globals(),
        "network_load_balancer",
        name,
        declared,
        purge=purge,
        remote=remote,
        project=project,
        sensitive=sensitive,
    )


def absent(name, remote=None, project=None):
    """
    Ensure that a network load balancer does not exist.

    .. code-block:: yaml

        ovn0/192.0.2.20:
          lxdapi_network_load_balancer.absent

    name
        ``NETWORK/ADDRESS``.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return state.absent(globals(), "network_load_balancer", name, remote=remote, project=project)
