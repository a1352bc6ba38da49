"""
The REST API of LXD and Incus, raw, and every kind of resource: list, get, create, update, rename, delete,
export.

:depends: requests, requests-unixsocket

Every function takes ``remote`` (a name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains; by
default the local daemon) and, where it means something, ``project``.
"""

import functools

import salt.utils.json
from salt.exceptions import SaltInvocationError

if __name__ == "lxdapi":  # found in the place of the library, which is not on the path
    raise ModuleNotFoundError(
        "No module named 'lxdapi' (the library, _utils/lxdapi): over salt-ssh add lxdapi to thin_extra_mods and run "
        "salt-ssh -t, else run saltutil.sync_all",
        name=__name__,
    )

from lxdapi import hashing, local_files, masking, validation
from lxdapi.cluster import per_member
from lxdapi.http import operations
from lxdapi.instances import plan
from lxdapi.minion import connection
from lxdapi.model import kinds, listing
from lxdapi.plan import converge
from lxdapi.plan import steps as plans
from lxdapi.reports import effective as effectives
from lxdapi.reports import export_sls
from lxdapi.trust import certificates

# The version of all synced files: see lxdapi.minion.connection.
__version__ = "0.1.0"

__func_alias__ = {"list_": "list"}

# Kinds that take more than the table to be created, or to be updated.
_CREATED = {
    "certificate": certificates.plan_create,
    "instance": plan.plan_create_new,
    "network": functools.partial(per_member.plan_create_new, kind_name="network"),
    "storage_pool": functools.partial(per_member.plan_create_new, kind_name="storage_pool"),
}
_UPDATED = {
    "instance": plan.plan_update,
    "network": functools.partial(per_member.plan_update, kind_name="network"),
    "storage_pool": functools.partial(per_member.plan_update, kind_name="storage_pool"),
}


def get(kind, name=None, params=None, remote=None, project=None, target=None):
    """
    Return the object of a kind and name, None if the daemon says that there is none; without a name the
    reply to a GET of any path.

    kind
        With ``name`` a kind: ``instance``, ``network_forward``, ... (an unknown one is refused with all that
        there are). Without it a path of the REST API, relative (``instances/web1/state``) or absolute
        (``/1.0/instances``); then the whole JSON is returned, with ``metadata`` in it. Of an object the values
        of secret keys are masked, of a path only those that ``lxdapi:sensitive`` names.
    name
        Of the object, to the letter, with what it is in before it: ``lxdbr0/192.0.2.10``, ``default/data``.
    params
        A mapping for the query, with a path.
    target
        A member of the cluster, for what each member has of its own.

    Raises an error with the daemon's words if the request failed.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.get profile default
        salt-call lxdapi.get instances params='{"recursion": 1}'
    """
    name = _named(kind, name)
    if name is None:
        return _raw("GET", kind, params, None, remote, project, target=target)
    _refuse(params=params)
    return masking.mask_object(listing.find(connection.connect(globals(), remote, project, target), kind, name))


def post(path, json=None, params=None, wait=False, timeout=None, remote=None, project=None):
    """
    Return the reply to a POST; with ``wait`` the finished operation's.

    path, params
        A path of the REST API, relative (``profiles``) or absolute (``/1.0/profiles``); a mapping for the query.
    json
        The body, as a mapping or as JSON text.
    wait
        True: if an operation was started, wait for its end. False.
    timeout
        Seconds to wait at the most; 600.

    Raises an error with the daemon's words if the request or the operation failed.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.post profiles json='{"name": "web"}'
    """
    return _raw("POST", path, params, json, remote, project, wait, timeout)


def put(path, json=None, params=None, wait=False, timeout=None, remote=None, project=None):
    """
    Return the reply to a PUT, which replaces the whole object; with ``wait`` the finished operation's.

    See :py:func:`lxdapi.post` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.put profiles/web json='{"description": "web servers"}'
    """
    return _raw("PUT", path, params, json, remote, project, wait, timeout)


def patch(path, json=None, params=None, wait=False, timeout=None, remote=None, project=None):
    """
    Return the reply to a PATCH, which merges; with ``wait`` the finished operation's.

    See :py:func:`lxdapi.post` for the parameters. A PATCH of a project replaces its whole config
    (LXD 5.0.2, Incus 6.0.4).

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.patch profiles/web json='{"config": {"limits.cpu": "2"}}'
    """
    return _raw("PATCH", path, params, json, remote, project, wait, timeout)


def delete(kind, name=None, params=None, wait=False, timeout=None, force=False, remote=None, project=None, target=None):
    """
    Delete the object of a kind and name and return what changed, nothing if there is none; without a name
    return the reply to a DELETE of any path.

    kind, name, params, target
        As for :py:func:`lxdapi.get`.
    wait
        With a path: True waits for the end of the operation. False.
    timeout
        With a path: seconds to wait at the most; 600.
    force
        With a kind: True deletes all that is in it too, where the daemon can (a project, a cluster member).

    Raises an error with the daemon's words if it refuses.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.delete profile web
        salt-call lxdapi.delete instances/web1 wait=True
    """
    name = _named(kind, name)
    if name is None:
        _refuse(force=force)
        return _raw("DELETE", kind, params, None, remote, project, wait, timeout, target)
    _refuse(params=params, wait=wait, timeout=timeout)
    return plans.apply(converge.plan_absent(connection.connect(globals(), remote, project, target), kind, name, force))


def _named(kind, name):
    """Return the name of an object, None for a path; raise for a kind that is given without a name."""
    if name is not None or not isinstance(kind, str) or kind not in kinds.KINDS:
        return name
    if kinds.KINDS[kind].path:
        raise SaltInvocationError(f"{kind} is a kind: a name is needed; lxdapi.list {kind} tells which there are")
    return kind  # there is only one


def _refuse(**given):
    """Raise for an argument that means nothing here."""
    for word, value in given.items():
        if value:
            raise SaltInvocationError(f"{word} means nothing here: see the documentation of this function")


def _raw(method, path, params, json, remote, project, wait=False, timeout=None, target=None):
    options = {"params": params} if json is None else {"params": params, "json": _body(json)}
    result = connection.connect(globals(), remote, project, target).request(method, path, **options)
    result = result.wait(timeout) if wait else result
    return result.response.text if result.data is None else masking.mask_marked(result.data)


def _body(json, word="json"):
    try:
        return salt.utils.json.loads(json) if isinstance(json, str) else json
    except ValueError as exc:
        raise SaltInvocationError(f"{word}: {exc}") from exc


def _mapping(settings):
    settings = _body(settings, "settings")
    if not isinstance(settings, dict):
        raise SaltInvocationError(f"settings: a mapping of fields is needed, not {type(settings).__name__}")
    return settings


def wait(operation, timeout=600, remote=None, project=None):
    """
    Return the operation once it has succeeded.

    operation
        Its id, or the ``operation`` of a reply.
    timeout
        Seconds; 600.

    Raises an error if it failed, still runs after the time, or vanished: the daemon forgets an
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
    Return who the daemon is: ``server`` (``incus`` or ``lxd``), ``server_version``, its
    environment, ``api_extensions`` and the ``endpoint`` that was found.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.server
    """
    api = connection.connect(globals(), remote, None)
    found = api.server
    facts = {key: found[key] for key in ("auth", "api_version", "api_extensions") if key in found}
    facts.update(found["environment"], endpoint=api.endpoint)
    facts.pop("certificate", None)
    return facts


def list_(kind, parent=None, full=False, remote=None, project=None, target=None):
    """
    Return the names of all resources of a kind; with ``full`` a mapping of names to objects.

    kind
        As for :py:func:`lxdapi.get`.
    parent
        Of what is in something else only what is in this: ``lxdbr0`` for a network's forwards. None: all,
        with a request for each parent; otherwise it is one request whatever their number.
    full
        True: the objects as well, values of secret keys masked.
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
    Create an object of a kind and return what changed.

    kind, name, target
        As for :py:func:`lxdapi.get`.
    settings
        A mapping of its fields, as the state ``lxdapi_<kind>.present`` takes them, or JSON text of one. A field
        that the kind does not have is refused with all that there are.

    Raises an error with the daemon's words if it refuses, as it does where there is one of that name.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.create profile web '{"config": {"limits.cpu": 2}}'
    """
    api, settings = connection.connect(globals(), remote, project, target), _mapping(settings or {})
    kinds.get_kind(kind)
    own = _CREATED.get(kind)
    return plans.apply(
        own(api, name=name, settings=settings) if own else converge.plan_create_new(api, kind, name, settings)
    )


def update(kind, name, settings, purge=False, remote=None, project=None, target=None):
    """
    Make an existing object as declared and return what changed, key by key.

    kind, name, settings, target
        As for :py:func:`lxdapi.create`. What is not named is left alone; ``null`` removes a key.
    purge
        True: of rules, ports and the like, those that are not named are removed.

    Raises an error with the daemon's words if there is none, or if it refuses.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.update profile web '{"config": {"limits.cpu": null}}'
    """
    api, settings = connection.connect(globals(), remote, project, target), _mapping(settings)
    kinds.get_kind(kind)
    own = _UPDATED.get(kind)
    steps = own(api, name=name, settings=settings) if own else converge.plan_update(api, kind, name, settings, purge)
    return plans.apply(steps)


def rename(kind, name, new_name, remote=None, project=None, target=None):
    """
    Give an object another name and return what changed.

    kind, name, target
        As for :py:func:`lxdapi.get`.
    new_name
        What it is called afterwards; what it is in may be left out.

    Raises an error with the daemon's words if it refuses, as it does where the name is taken.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.rename profile web web2
    """
    return plans.apply(
        converge.plan_rename(connection.connect(globals(), remote, project, target), kind, name, new_name)
    )


def effective(kind, name, remote=None, project=None):
    """
    Return each config key and device that is in effect for an object, and where it comes from.

    kind
        ``instance``.
    name
        Of the instance.

    The answer is ``{"config": {key: {"value": x, "origin": "profile web"}}, "devices": {...}}``; the origin is
    ``instance`` or the last of its profiles that has it. Left out is what the daemon keeps for itself
    (``volatile.*``, ``image.*``). Values of secret keys are masked.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.effective instance web1
    """
    if kind != "instance":
        raise SaltInvocationError(f"kind {kind!r}: only an instance inherits; there is: instance")
    return effectives.read(connection.connect(globals(), remote, project), name)


def export(kind=None, name=None, remote=None, project=None):
    """
    Return existing objects as the text of an SLS file, which applied changes nothing.

    kind, name
        As for :py:func:`lxdapi.get`; without a name all of the kind, without a kind everything.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
        If given, it is in each state as well.
    project
        The project. Default: the remote's, or ``default``. If given, it is in each state as well.

    So a host that was built by hand becomes one that is declared. Left out are what the daemon keeps for
    itself (``volatile.*``, ``image.*``), what is empty or false, whether an instance runs, images that the daemon
    fetched for itself, and values that are or hold a secret, which comments at its head name. An instance or
    image is exported without a source: add it, if the SLS is to make it anew elsewhere. The first line,
    ``#!yaml``, keeps Jinja from reading braces in a value as its own. Of a project that is not the default one
    only what is its own is exported.

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
    Return the fingerprint that the daemon gives to an image file: its sha256, read in blocks.

    path
        The unified image, or the metadata of a split one: a path, ``salt://`` or ``http(s)://``.
    rootfs
        The second file of a split image.
    saltenv
        Of ``salt://`` sources; ``base``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.image_get_fingerprint /srv/images/busybox.tar.gz
    """
    cache_file = __salt__["cp.cache_file"]
    more = [rootfs] if rootfs else []
    return hashing.fingerprint(*(local_files.local_file(cache_file, part, saltenv) for part in (path, *more)))
