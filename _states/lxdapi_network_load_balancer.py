"""
Network load balancers of LXD and Incus: ports of an address, distributed over backends (OVN networks).

:depends: requests, requests-unixsocket; an OVN network and the API extension
    network_load_balancer (LXD 5.4 or newer, every Incus)
"""

from lxdapi.minion import state

__version__ = "0.1.0"


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
        ``NETWORK/ADDRESS``: the network and the listen address.
    backends
        List of backends. ``name`` identifies a backend; ``target_address``, ``target_port`` and ``description`` are
        updated. Other backends stay unchanged unless ``purge`` is true; an empty list removes all backends. Default:
        unchanged.
    ports
        List of ports. ``protocol`` and ``listen_port`` identify a port; ``target_backend`` (list of names of backends)
        and ``description`` are updated. Other ports stay unchanged unless ``purge`` is true; an empty list removes all
        ports. Default: unchanged.
    description
        Description; an empty string clears it. Default: unchanged.
    config
        Mapping of config keys to values. Keys that are not declared stay unchanged; ``null`` removes a key; an empty
        mapping removes all keys. Default: unchanged.
    purge
        Whether to remove backends and ports that are not declared. Default: false.
    sensitive
        Further keys of ``config`` to mask in changes, comments and errors: a list of names or shell-style patterns
        (``user.db_*``). Default: only the keys that lxdapi always masks.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
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
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """
    return state.absent(globals(), "network_load_balancer", name, remote=remote, project=project)
