"""
The REST API of LXD and Incus, and every kind of resource: list, get, create, update, rename, delete, export.

:depends: requests, requests-unixsocket

Most functions take ``remote`` (name of a remote under ``lxdapi:remotes`` in the minion configuration, pillar or grains;
default: the local daemon) and ``project`` (default: the project of the remote, or ``default``).
"""

import functools

import salt.utils.json
from salt.exceptions import SaltInvocationError

if __name__ == "lxdapi":  # imported instead of the library, which is not on the path
    raise ModuleNotFoundError(
        "No module named 'lxdapi' (the library, _utils/lxdapi): over salt-ssh add lxdapi to thin_extra_mods and run "
        "salt-ssh -t, else run saltutil.sync_all",
        name=__name__,
    )

from lxdapi import hashing, local_files, masking, validation
from lxdapi.cluster import per_member
from lxdapi.errors import InvalidError
from lxdapi.http import operations
from lxdapi.instances import plan
from lxdapi.minion import connection
from lxdapi.model import kinds, listing
from lxdapi.plan import converge
from lxdapi.plan import steps as plans
from lxdapi.reports import effective as effectives
from lxdapi.reports import export_sls
from lxdapi.trust import certificates

__version__ = "0.1.0"
__func_alias__ = {"list_": "list"}

# Kinds whose creation or update needs more than the table.
_PLAN_CREATE = {
    "certificate": certificates.plan_create,
    "instance": plan.plan_create_new,
    "network": functools.partial(per_member.plan_create_new, kind_name="network"),
    "storage_pool": functools.partial(per_member.plan_create_new, kind_name="storage_pool"),
}
_PLAN_UPDATE = {
    "instance": plan.plan_update,
    "network": functools.partial(per_member.plan_update, kind_name="network"),
    "storage_pool": functools.partial(per_member.plan_update, kind_name="storage_pool"),
}


def get(kind, name=None, params=None, remote=None, project=None, target=None):
    """
    Return the object with a kind and a name, or None if it does not exist. Without a name, return the reply to a GET
    request for any path.

    kind
        With ``name``: a kind, such as ``instance`` or ``network_forward``; the error for an unknown kind lists all
        kinds. Secret values of the object are masked. Without ``name``: a path of the REST API, relative
        (``instances/web1/state``) or absolute (``/1.0/instances``). The function then returns the complete JSON reply,
        with the object under ``metadata``, and masks only the keys in ``lxdapi:sensitive``.
    name
        Exact name of the object, after the names of its parents: ``lxdbr0/192.0.2.10``, ``default/data``.
    params
        Mapping of query parameters, for a path only. Default: none.
    target
        Name of the cluster member, for an object that differs between members. Default: the member that answers.

    Raises an error with the daemon's words if the request failed.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.get profile default
        salt-call lxdapi.get instances params='{"recursion": 1}'
    """
    name = _object_name(kind, name)
    if name is None:
        return _raw("GET", kind, params, None, remote, project, target=target)
    _require_unused("a kind", params=params)
    return masking.mask_object(listing.find(connection.connect(globals(), remote, project, target), kind, name))


def post(path, json=None, params=None, wait=False, timeout=None, remote=None, project=None):
    """
    Return the reply to a POST request, or the finished operation with ``wait``.

    path, params
        Path of the REST API, relative (``profiles``) or absolute (``/1.0/profiles``), and a mapping of query parameters
        (default: none).
    json
        Request body, as a mapping or as JSON text. Default: none.
    wait
        Whether to wait until the operation that the request starts has finished. Default: false.
    timeout
        Seconds to wait. Default: 600.

    Raises an error with the daemon's words if the request or the operation failed.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.post profiles json='{"name": "web"}'
    """
    return _raw("POST", path, params, json, remote, project, wait, timeout)


def put(path, json=None, params=None, wait=False, timeout=None, remote=None, project=None):
    """
    Return the reply to a PUT request, which replaces the whole object, or the finished operation with ``wait``.

    See :py:func:`lxdapi.post` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.put profiles/web json='{"description": "web servers"}'
    """
    return _raw("PUT", path, params, json, remote, project, wait, timeout)


def patch(path, json=None, params=None, wait=False, timeout=None, remote=None, project=None):
    """
    Return the reply to a PATCH request, which merges the body into the object, or the finished operation with ``wait``.

    See :py:func:`lxdapi.post` for the parameters. A PATCH of a project replaces its whole config (LXD 5.0.2, Incus
    6.0.4).

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.patch profiles/web json='{"config": {"limits.cpu": "2"}}'
    """
    return _raw("PATCH", path, params, json, remote, project, wait, timeout)


def delete(kind, name=None, params=None, wait=False, timeout=None, force=False, remote=None, project=None, target=None):
    """
    Delete the object with a kind and a name and return the changes, which are empty if it does not exist. Without a
    name, return the reply to a DELETE request for any path.

    kind, name, params, target
        See :py:func:`lxdapi.get`.
    wait
        For a path: whether to wait until the operation has finished. Default: false.
    timeout
        For a path: seconds to wait. Default: 600.
    force
        For a kind: whether to delete the content of the object too, if the daemon supports it (a project, a cluster
        member). Default: false.

    Raises an error with the daemon's words if the daemon does not delete the object.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.delete profile web
        salt-call lxdapi.delete instances/web1 wait=True
    """
    name = _object_name(kind, name)
    if name is None:
        _require_unused("a path", force=force)
        return _raw("DELETE", kind, params, None, remote, project, wait, timeout, target)
    _require_unused("a kind", params=params, wait=wait, timeout=timeout)
    return plans.apply(converge.plan_absent(connection.connect(globals(), remote, project, target), kind, name, force))


def _object_name(kind, name):
    """Return the name of an object, or None for a path; raises for a kind without a name."""
    if name is not None or not isinstance(kind, str) or kind not in kinds.KINDS:
        return name
    if kinds.KINDS[kind].path:
        raise SaltInvocationError(f"{kind} is a kind and requires a name: lxdapi.list {kind} lists the names")
    return kind  # the only object of its kind needs no name


def _require_unused(place, **arguments):
    """Raise for an argument that has no meaning for a kind, or for a path of the REST API."""
    for label, value in arguments.items():
        if value:
            raise SaltInvocationError(f"{label} does not apply to {place}; omit it")


def _raw(method, path, params, json, remote, project, wait=False, timeout=None, target=None):
    options = {"params": params} if json is None else {"params": params, "json": _body(json)}
    result = connection.connect(globals(), remote, project, target).request(method, path, **options)
    result = result.wait(timeout) if wait else result
    return result.response.text if result.data is None else masking.mask_marked(result.data)


def _body(json, label="json"):
    try:
        return salt.utils.json.loads(json) if isinstance(json, str) else json
    except ValueError as exc:
        raise SaltInvocationError(f"expected JSON for {label}: {exc}") from exc


def _mapping(settings):
    settings = _body(settings, "settings")
    if not isinstance(settings, dict):
        raise SaltInvocationError(str(InvalidError.of_value("settings", "a mapping", settings)))
    return settings


def wait(operation, timeout=600, remote=None, project=None):
    """
    Wait until an operation has finished and return it.

    operation
        ID of the operation, or the ``operation`` of a reply.
    timeout
        Seconds to wait for the operation. Default: 600.

    Raises an error if the operation failed, did not finish in time, or is unknown to the daemon, which forgets an
    operation 5 s after its end.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.wait /1.0/operations/5c4f0a4b-0a2f-4c62-a7a4-24f6d9f2d0c4 timeout=30
    """
    path, query = operations.parse_address(operation)
    timeout = 600 if validation.parse_seconds(timeout) is None else timeout
    return masking.mask_marked(
        operations.wait(connection.connect(globals(), remote, project), path, query, timeout).metadata
    )


def server(remote=None):
    """
    Return information about the daemon: ``server`` (``incus`` or ``lxd``), ``server_version``, its environment,
    ``api_extensions``, and the ``endpoint`` that lxdapi uses.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.server
    """
    api = connection.connect(globals(), remote, None)
    server = api.server
    facts = {key: server[key] for key in ("auth", "api_version", "api_extensions") if key in server}
    facts.update(server["environment"], endpoint=api.endpoint)
    facts.pop("certificate", None)
    return facts


def list_(kind, parent=None, full=False, remote=None, project=None, target=None):
    """
    Return the names of all resources of a kind, or a mapping of names to objects with ``full``.

    kind
        See :py:func:`lxdapi.get`.
    parent
        Name of the parent: only list the resources in it, such as the forwards of the network ``lxdbr0``. Default: the
        resources in all parents, with one request for each parent. In all other cases there is only one request.
    full
        Whether to return the objects too, with secret values masked. Default: false.
    target
        See :py:func:`lxdapi.get`.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.list instance full=True
    """
    objects = listing.list_objects(connection.connect(globals(), remote, project, target), kind, parent)
    return masking.mask_object(objects) if full else sorted(objects)


def create(kind, name, settings=None, remote=None, project=None, target=None):
    """
    Create an object of a kind and return the changes.

    kind, name, target
        See :py:func:`lxdapi.get`.
    settings
        Mapping of the fields of the object, as for the state ``lxdapi_<kind>.present``, or the same as JSON text. The
        error for an unknown field lists all fields of the kind. Default: the defaults of the daemon.

    Raises an error with the daemon's words if the daemon does not create the object, for example because the name
    exists.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.create profile web '{"config": {"limits.cpu": 2}}'
    """
    api, settings = connection.connect(globals(), remote, project, target), _mapping(settings or {})
    kinds.get_kind(kind)
    if kind in _PLAN_CREATE:
        return plans.apply(_PLAN_CREATE[kind](api, name=name, settings=settings))
    return plans.apply(converge.plan_create_new(api, kind, name, settings))


def update(kind, name, settings, purge=False, remote=None, project=None, target=None):
    """
    Change an existing object to the given settings and return the changes, key by key.

    kind, name, settings, target
        See :py:func:`lxdapi.create`. Settings that are not given stay unchanged; ``null`` removes a key.
    purge
        Whether to remove the elements of lists (rules, ports and the like) that are not given. Default: false.

    Raises an error with the daemon's words if the object does not exist, or the daemon does not accept the change.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.update profile web '{"config": {"limits.cpu": null}}'
    """
    api, settings = connection.connect(globals(), remote, project, target), _mapping(settings)
    kinds.get_kind(kind)
    if kind in _PLAN_UPDATE:
        return plans.apply(_PLAN_UPDATE[kind](api, name=name, settings=settings))
    return plans.apply(converge.plan_update(api, kind, name, settings, purge))


def rename(kind, name, new_name, remote=None, project=None, target=None):
    """
    Rename an object and return the changes.

    kind, name, target
        See :py:func:`lxdapi.get`.
    new_name
        New name of the object, with or without the names of its parents.

    Raises an error with the daemon's words if the daemon does not rename the object, for example because the new name
    exists.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.rename profile web web2
    """
    return plans.apply(
        converge.plan_rename(connection.connect(globals(), remote, project, target), kind, name, new_name)
    )


def effective(kind, name, remote=None, project=None):
    """
    Return the config and the devices that an object has in effect, and the origin of each.

    kind
        Always ``instance``.
    name
        Name of the instance.

    The result is ``{"config": {key: {"value": x, "origin": "profile web"}}, "devices": {...}}``. The origin is
    ``instance``, or the last of its profiles that has the key or the device. The keys that the daemon manages
    (``volatile.*``, ``image.*``) are omitted; secret values are masked.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.effective instance web1
    """
    if kind != "instance":
        raise SaltInvocationError(f"expected instance for kind, got {kind!r}: only instances have profiles")
    return effectives.read(connection.connect(globals(), remote, project), name)


def export(kind=None, name=None, remote=None, project=None):
    """
    Return existing objects as the text of an SLS file. Applying the file changes nothing.

    kind, name
        See :py:func:`lxdapi.get`. Without a name, all objects of the kind; without a kind, everything.
    remote
        Name of a remote under ``lxdapi:remotes`` in the minion configuration, pillar or grains. If given, each state in
        the file has it too. Default: the local daemon.
    project
        Name of the project. If given, each state in the file has it too. Default: the project of the remote, or
        ``default``.

    Use this to manage a host that was configured by hand. The file omits the keys that the daemon manages
    (``volatile.*``, ``image.*``), empty and false values, whether an instance is running, images that the daemon
    fetched for itself, and secret values; comments at the start of the file name the omitted secrets. An image, and an
    instance that was created from one, have no source in the file: add one if the SLS must create them on another host.
    Any other instance has ``source: none``. The first line, ``#!yaml``, keeps Jinja from evaluating braces in a value.
    For a project other than ``default``, the file contains only what belongs to that project.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.export profile --out json | jq -r .local > profiles.sls
    """
    where, left_out = {"remote": remote, "project": project}, []
    return export_sls.format_sls(
        export_sls.read_states(connection.connect(globals(), remote, project), kind, name, where, left_out), left_out
    )


def image_get_fingerprint(path, rootfs=None, saltenv="base"):
    """
    Return the fingerprint of an image file: its SHA-256, as the daemon computes it. The file is read in blocks.

    path
        The unified image (a tarball), or the metadata of a split image: a path, ``salt://`` or ``http(s)://``.
    rootfs
        Second file of a split image. Default: a unified image.
    saltenv
        Salt environment of ``salt://`` sources. Default: ``base``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.image_get_fingerprint /srv/images/busybox.tar.gz
    """
    cache_file = __salt__["cp.cache_file"]
    more = [rootfs] if rootfs else []
    return hashing.fingerprint(*(local_files.local_file(cache_file, part, saltenv) for part in (path, *more)))
