"""
Names of instances as hosts of ssh.

``web1.shop.0.lxdapi`` is the instance ``web1`` of the project ``shop`` on the first remote in the environment variable
:data:`REMOTES`. ``web1.lxdapi`` is an instance of the local daemon.
"""

import json
import os

# The settings of the remotes, as JSON: salt-ssh passes its environment on to ssh and scp, which nobody else can read.
REMOTES = "LXDAPI_SSH_REMOTES"
SUFFIX = ".lxdapi"


def format_host(name, project, index):
    """Return the host name of an instance on the remote with this index."""
    return f"{name}.{project}.{index}{SUFFIX}"


def is_instance(host):
    """Return True for the host name of an instance."""
    return host.endswith(SUFFIX)


def parse_host(host):
    """Return (the name of the instance, the settings for :meth:`lxdapi.api.API.factory`)."""
    # the name of an instance has no dot; that of a project may have some
    name, _, rest = host[: -len(SUFFIX)].partition(".")
    if not rest:
        return name, {}
    project, _, index = rest.rpartition(".")
    try:
        settings = json.loads(os.environ[REMOTES])[int(index)]
    except (KeyError, ValueError, IndexError):
        raise ValueError(f"{host} is a host of the roster lxdapi: use it with salt-ssh --roster=lxdapi") from None
    return name, {**settings, "project": project}


def share_remotes(settings):
    """Let the programs that this process starts know a list of settings of remotes."""
    os.environ[REMOTES] = json.dumps(settings)
