"""
The configuration, the trust and the first setup of a daemon, as the removed functions and states did them.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from lxdapi.errors import InvalidError
from lxdapi.http import endpoints, pem, tls
from lxdapi.model import listing
from lxdapi.plan import converge, steps
from lxdapi.plan.steps import Plan, Step
from lxdapi.trust import keypair, tokens

if TYPE_CHECKING:
    from lxdapi.api import API

TRUST_KEY = "core.trust_password"
_PORT = 8443


def get_config(api: API, key: str) -> str:
    """Return the value of a config key as the command line client prints it, "" if it is not set."""
    value = (api.get("").metadata.get("config") or {}).get(key)
    return "true" if value is True else value or ""


def plan_config(api: API, key: str, value: Any, replace_password: bool = True) -> Plan:
    """
    Return the steps that set a config key.

    replace_password
        True: also set a password that is set, which the daemon does not show. False: leave it.
    """
    plan = partial(converge.plan_present, api, "server", "server")
    if key != TRUST_KEY or not replace_password or not get_config(api, key):
        return plan({"config": {key: value}})
    removal = plan({"config": {key: None}})
    change = {"config": {key: {"old": "**********", "new": "**********"}}}

    def replace():
        steps.apply(removal)
        steps.apply(plan({"config": {key: value}}))

    return removal.with_steps([Step("updated", change, replace)])


def plan_authenticated(settings: dict[str, Any], password: Any, client_name: str) -> Plan:
    """
    Return the steps that make a server trust a client.

    settings
        Those of :func:`lxdapi.minion.remotes.settings_of_address`. With ``verify`` False, the server's certificate of
        this moment is pinned, so that the password goes to no other server.
    password
        The password of the server, or a token.
    """
    if settings.get("verify") is False:
        certificate = tls.read_certificate(endpoints.base_url(settings["endpoint"]))
        settings = {**settings, "fingerprint": pem.read(certificate)[0]}
    client = tokens.Client(settings["endpoint"], settings, name=client_name, **_proof(password))
    if not client.has_keypair:
        raise InvalidError(f"cert: {client.cert} does not exist; lxdapi_trust.key_create creates a key pair")
    return Plan.of(client.plan_present())


def _proof(password):
    try:
        tokens.decode(password)
    except InvalidError:
        return {"password": password}
    return {"token": password}


class Setup(NamedTuple):
    """The parameters of ``lxd.init``."""

    storage_backend: Any = "dir"
    trust_password: Any = None
    network_address: Any = None
    network_port: Any = None
    storage_create_device: Any = None
    storage_create_loop: Any = None
    storage_pool: Any = None


def plan_init(api: API, setup: Setup) -> list[Step]:
    """
    Return the steps that give a new daemon a storage pool, a bridge, the devices of the profile ``default``, and its
    address and password. Existing objects stay as they are.
    """
    pools = list(listing.list_objects(api, "storage_pool"))
    pool = setup.storage_pool or ("default" if not pools or "default" in pools else pools[0])
    networks = list(listing.list_objects(api, "network"))
    bridge = "" if networks else ("incusbr0" if api.dialect == "Incus" else "lxdbr0")
    planned = [] if pool in pools else [("storage_pool", pool, _pool(setup))]
    planned += [("network", bridge, {})] if bridge else []
    devices = _missing_devices(api, pool, bridge)
    planned += [("profile", "default", {"devices": devices})] if devices else []
    config = _server_config(setup)
    planned += [("server", "server", {"config": config})] if config else []
    return [each for kind_name, name, declared in planned for each in _label_steps(api, kind_name, name, declared)]


def _pool(setup):
    loop = setup.storage_create_loop
    config = {"source": setup.storage_create_device, "size": f"{loop}GiB" if loop else None}
    config = {key: value for key, value in config.items() if value}
    return {"driver": setup.storage_backend or "dir", **({"config": config} if config else {})}


def _missing_devices(api, pool, bridge):
    """Return the devices that the profile ``default`` lacks."""
    devices = (listing.find(api, "profile", "default") or {}).get("devices") or {}
    has_root = any(device.get("path") == "/" for device in devices.values())
    missing = {} if has_root else {"root": {"type": "disk", "path": "/", "pool": pool}}
    if bridge and "eth0" not in devices:
        missing["eth0"] = {"type": "nic", "name": "eth0", "network": bridge}
    return missing


def _server_config(setup):
    config = {"core.https_address": https_address(setup), TRUST_KEY: setup.trust_password}
    return {key: value for key, value in config.items() if value}


def https_address(setup):
    """Return the address and port on which the daemon listens, None for neither."""
    address = setup.network_address
    if not address:
        return f":{setup.network_port}" if setup.network_port else None
    if ":" in address and "[" not in address and address.count(":") > 1:
        address = f"[{address}]"
    has_port = address.rpartition("]")[2].count(":") == 1
    return address if has_port else f"{address}:{setup.network_port or _PORT}"


def _label_steps(api, kind_name, name, declared):
    """Return the steps for one object as steps of the daemon."""
    for step in converge.plan_present(api, kind_name, name, declared):
        if step.changes:
            label = " ".join(dict.fromkeys([kind_name.replace("_", " "), name]))
            yield step._replace(
                verb=f"set up ({label})", changes={label: step.verb}, apply=partial(_apply, step, label)
            )


def _apply(step, label):
    return {label: step.verb} if step.apply() != {} else {}


def plan_marked(connect: Callable[[], API], setup: Setup, path: str) -> Plan:
    """
    Return the steps of :func:`plan_init` and a last one that writes a marker file; none if the file exists.

    connect
        Called without arguments, returns the API.
    """
    if os.path.exists(path):
        return Plan(summary="already initialized")
    mark = Step("marked", {"done_file": path}, partial(keypair.write, [(path, "", 0o644)]))
    return Plan.of([*plan_init(connect(), setup), mark])
