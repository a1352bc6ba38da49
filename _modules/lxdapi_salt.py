"""
Salt inside instances of LXD and Incus. The instances need no Salt, no Python, no network and no minion.

:depends: requests, requests-unixsocket, websocket-client

Salt runs as a single command in the instance. This minion acts as its master: through standard input and output, it
answers requests for files, pillar and master functions. The minion id inside is the name of the instance, and states
are rendered inside. Nothing stays running after the call.
"""

from lxdapi.minion import connection, salt_builds, salt_sessions
from lxdapi.salt_inside import calls, cleaning

__version__ = "0.1.0"
__func_alias__ = {"apply_": "apply"}
__outputter__ = {"apply_": "highstate", "highstate": "highstate"}


def call(name, function, args=None, kwargs=None, python="auto", sealed=None, remote=None, project=None):
    """
    Run a function of Salt inside a running instance and return its result. The exit code of the function is also the
    exit code of the call.

    name
        Name of the instance.
    function
        Name of an execution module function, such as ``pkg.version``.
    args
        List of positional arguments, or a single one. Default: none.
    kwargs
        Mapping of named arguments. Default: none.
    python
        The Python that runs Salt. ``inside``: that of the instance. ``carried``: that of this minion; a container on
        this machine gets it as a read-only disk device while Salt runs, any other instance as a copy. ``auto``: that of
        the instance if it can run Salt, otherwise a carried one. Default: ``auto``.
    sealed
        Whether the instance gets only those files of the file server that the SLS files and the arguments name.
        Default: the setting ``lxdapi:sealed``.

    Arguments and results go through standard input and output, so no process list and no event of the daemon shows
    them. Further calls within ten seconds in the same process use the same Salt.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_salt.call web1 cmd.run_all 'hostname; id -u'
        salt-call lxdapi_salt.call web1 file.write args='["/etc/motd", "hello"]'
        salt-call lxdapi_salt.call web1 grains.item args='[os, id]' python=carried
    """
    args, kwargs = calls.parse_arguments(args, kwargs)
    return salt_sessions.call(globals(), name, function, args, kwargs, python, remote, project, sealed)


def ping(name, python="auto", remote=None, project=None):
    """
    Return True if Salt runs inside an instance; an error says why it does not.

    See :py:func:`lxdapi_salt.call` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_salt.ping web1
    """
    return salt_sessions.call(globals(), name, "test.ping", (), None, python, remote, project)


def apply_(
    name,
    mods=None,
    test=None,
    pillar=None,
    saltenv=None,
    exclude=None,
    python="auto",
    sealed=None,
    remote=None,
    project=None,
):
    """
    Apply states inside a running instance, as ``state.apply`` does on a minion. Returns the result of each state.

    mods
        SLS names: a list, or text with commas. Default: the top file decides, as in :py:func:`lxdapi_salt.highstate`.
    test
        Whether to return the changes without making them. Default: the option ``test`` of this minion.
    pillar
        Mapping of pillar values that override those of the instance. Default: none.
    saltenv
        Salt environment. Default: the option ``saltenv`` of this minion, otherwise ``base``.
    exclude
        SLS names or state ids to leave out: a list, or text with commas. Default: none.

    The states see the grains and the pillar of the instance, and ``salt['...']`` in a template runs inside. See
    :py:func:`lxdapi_salt.call` for ``python`` and ``sealed``; a sealed instance needs ``mods``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_salt.apply web1 web
        salt-call lxdapi_salt.apply web1 web test=True pillar='{"port": 8080}'
    """
    function, args, kwargs = calls.apply_arguments(mods, _test(test), pillar, saltenv, exclude)
    return salt_sessions.call(globals(), name, function, args, kwargs, python, remote, project, sealed)


def highstate(name, test=None, pillar=None, saltenv=None, exclude=None, python="auto", remote=None, project=None):
    """
    Apply the states that the top file assigns to an instance: it matches the name and the grains of the instance.

    See :py:func:`lxdapi_salt.apply` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_salt.highstate web1 test=True
    """
    function, args, kwargs = calls.apply_arguments(None, _test(test), pillar, saltenv, exclude)
    return salt_sessions.call(globals(), name, function, args, kwargs, python, remote, project)


def show_sls(name, mods, pillar=None, saltenv=None, python="auto", sealed=None, remote=None, project=None):
    """
    Return the states of SLS files as an instance renders them.

    See :py:func:`lxdapi_salt.apply` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_salt.show_sls web1 web
    """
    return _show(name, "state.show_sls", mods, pillar, saltenv, python, remote, project, sealed)


def show_low_sls(name, mods, pillar=None, saltenv=None, python="auto", sealed=None, remote=None, project=None):
    """
    Return the low data of SLS files as an instance renders them.

    See :py:func:`lxdapi_salt.apply` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_salt.show_low_sls web1 web
    """
    return _show(name, "state.show_low_sls", mods, pillar, saltenv, python, remote, project, sealed)


def show_highstate(name, pillar=None, python="auto", remote=None, project=None):
    """
    Return the states that the top file assigns to an instance, as the instance renders them.

    See :py:func:`lxdapi_salt.apply` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_salt.show_highstate web1
    """
    return _show(name, "state.show_highstate", None, pillar, None, python, remote, project)


def show_top(name, python="auto", remote=None, project=None):
    """
    Return the SLS names that the top file assigns to an instance, by Salt environment.

    See :py:func:`lxdapi_salt.call` for the parameters.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_salt.show_top web1
    """
    return _show(name, "state.show_top", None, None, None, python, remote, project)


def sls_build(
    name,
    base,
    mods=None,
    pillar=None,
    saltenv=None,
    exclude=None,
    instance=None,
    public=None,
    properties=None,
    compression=None,
    dryrun=False,
    python="auto",
    sealed=None,
    remote=None,
    project=None,
):
    """
    Build an image: create an instance, apply states inside, publish it, and delete it. Returns the fingerprint of the
    image, and the changes of the states by their ids.

    name
        Alias of the image; an existing alias is moved to it. It is also the minion id of the Salt inside, with ``-``
        for each ``/``, so a pillar top file can match it.
    base
        Source of the instance, as in :py:func:`lxdapi_instance.present`: an alias, a fingerprint, ``images:debian/12``,
        or a mapping.
    mods, pillar, saltenv, exclude
        See :py:func:`lxdapi_salt.apply`. Without ``mods``, the top file decides.
    instance
        Mapping of parameters of :py:func:`lxdapi_instance.present` for the instance, such as ``profiles``, ``devices``
        or ``wait_for``. Default: none.
    public, properties, compression
        See :py:func:`lxdapi_image.publish`.
    dryrun
        Whether to apply the states without publishing an image. Default: false.
    python, sealed
        See :py:func:`lxdapi_salt.call`. The image contains neither Salt nor a carried Python.

    If a state fails, there is no image, and the error names the state. The instance ``lxdapi-build-...`` is deleted in
    any case. If the minion is killed during a build, the next build of the same image deletes the instance.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_salt.sls_build web-golden debian/12 mods=web compression=none
    """
    call = calls.apply_arguments(mods, False, pillar, saltenv, exclude)
    published = {"public": public, "properties": properties}
    return salt_builds.build(
        globals(), name, base, call, instance, published, compression, dryrun, python, sealed, remote, project
    )


def clean(name, remote=None, project=None):
    """
    Remove everything that lxdapi keeps in an instance for Salt: the copies of Salt and Python, the file cache, and the
    device that a killed run left. Returns what was removed. The next call copies again what it needs.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_salt.clean web1
    """
    salt_sessions.close(globals(), name)
    return cleaning.remove_all(connection.connect(globals(), remote, project), name)


def _test(test):
    return __opts__.get("test") if test is None else test


def _show(name, function, mods, pillar, saltenv, python, remote, project, sealed=None):
    args, kwargs = calls.show_arguments(mods, pillar, saltenv)
    return salt_sessions.call(globals(), name, function, args, kwargs, python, remote, project, sealed)
