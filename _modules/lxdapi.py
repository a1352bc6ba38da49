"""
The REST API of LXD and Incus, raw, and readers of every kind of resource.

:depends: requests, requests-unixsocket

Every function takes ``remote`` (a name below ``lxdapi:remotes``; none: the daemon of this machine)
and, where it means something, ``project``. See the README for remotes.
"""

import salt.utils.json
from salt.exceptions import SaltInvocationError

try:
    import lxdapi_converge as converge
    import lxdapi_front as front
    import lxdapi_image as images
    import lxdapi_kinds as kinds
    import lxdapi_operation as operations
except ImportError as exc:
    front, _MISSING = None, exc

__version__ = "0.1.0"

__func_alias__ = {"list_": "list"}


def __virtual__():
    """Load if the library of lxdapi and what it needs can be imported."""
    if front is None:
        return False, f"lxdapi: {_MISSING}; it needs requests and requests-unixsocket (README, Dependencies)"
    return front.loadable(__version__)


def _api(remote, project):
    return front.connect(__salt__["config.get"], __context__, remote, project)


def get(path, params=None, remote=None, project=None):
    """
    Return the reply to a GET: the whole JSON, with ``metadata`` in it.

    path
        Relative to the API (``instances/web1``) or absolute (``/1.0/instances/web1``).
    params
        A mapping for the query.

    Raises an error with the daemon's words if the request failed.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.get instances params='{"recursion": 1}'
    """
    return _raw("GET", path, params, None, remote, project)


def post(path, json=None, params=None, wait=False, timeout=None, remote=None, project=None):
    """
    Return the reply to a POST; with ``wait`` the finished operation's.

    path, params
        As for :py:func:`lxdapi.get`.
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


def delete(path, params=None, wait=False, timeout=None, remote=None, project=None):
    """
    Return the reply to a DELETE; with ``wait`` the finished operation's.

    See :py:func:`lxdapi.post` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.delete profiles/web
    """
    return _raw("DELETE", path, params, None, remote, project, wait, timeout)


def _raw(method, path, params, json, remote, project, wait=False, timeout=None):
    options = {"params": params} if json is None else {"params": params, "json": _body(json)}
    result = _api(remote, project).request(method, path, **options)
    result = result.wait(timeout) if wait else result
    return result.response.text if result.data is None else result.data


def _body(json):
    try:
        return salt.utils.json.loads(json) if isinstance(json, str) else json
    except ValueError as exc:
        raise SaltInvocationError(f"json: {exc}") from exc


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
    path, query = operations.address(operation)
    return operations.wait(_api(remote, project), path, query, timeout).metadata


def server(remote=None):
    """
    Return who the daemon is: ``server`` (``incus`` or ``lxd``), ``server_version``, its
    environment, ``api_extensions`` and the ``endpoint`` that was found.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.server
    """
    api = _api(remote, None)
    found = api.server
    facts = {key: found[key] for key in ("auth", "api_version", "api_extensions") if key in found}
    facts.update(found["environment"], endpoint=api.endpoint)
    facts.pop("certificate", None)
    return facts


def list_(kind, full=False, remote=None, project=None):
    """
    Return the names of all resources of a kind; with ``full`` a mapping of names to objects.

    kind
        ``image`` (named by fingerprint), ``image_alias``, ``instance``, ``network_address_set``,
        ``profile``.

    One request whatever their number.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.list instance full=True
    """
    chosen = kinds.kind_of(kind)
    api = _api(remote, project)
    converge.require(api, chosen)
    found = api.get(chosen.collection, params={"recursion": 1}).metadata
    objects = {item[chosen.key]: item for item in found or ()}
    return objects if full else sorted(objects)


def get_one(kind, name, remote=None, project=None):
    """
    Return the object of that name, None if the daemon says that there is none.

    kind
        See :py:func:`lxdapi.list`.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.get_one profile default
    """
    found = converge.read(_api(remote, project), kinds.kind_of(kind), name)
    return found.metadata if found is not None else None


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
    files = [front.local_file(cache_file, part, saltenv) for part in (path, rootfs) if part]
    return images.fingerprint(*files)
