"""
Files inside instances of LXD and Incus as declared.

:depends: requests, requests-unixsocket

They are reached from outside, over the daemon: nothing has to be installed in the instance, and a container need not
run. The files of a virtual machine are reached through its agent, while it runs.
"""

from lxdapi.files import content as sources
from lxdapi.files import plan as fileplan
from lxdapi.files import plan_tree
from lxdapi.files.spec import FileSpec, TreeSpec
from lxdapi.files.target import Target
from lxdapi.minion import connection, state


def _target(instance, path, remote, project):
    return Target.parse(lambda: connection.connect(globals(), remote, project), instance, path)


def _state(instance, name, plan):
    return state.run_plan(globals(), f"file of {instance}", name, plan)


def _saltenv(given):
    try:
        return given or __env__
    except NameError:  # called without a run
        return "base"


def managed(
    name,
    instance,
    source=None,
    source_hash=None,
    skip_verify=False,
    contents=None,
    contents_newline=True,
    template=None,
    context=None,
    defaults=None,
    user=None,
    group=None,
    mode=None,
    makedirs=False,
    replace=True,
    force=False,
    follow_symlinks=True,
    show_changes=True,
    saltenv=None,
    remote=None,
    project=None,
):
    """
    Ensure that a file has this content, owner and mode.

    .. code-block:: yaml

        /etc/motd:
          lxdapi_file.managed:
            - instance: web1
            - contents: Welcome to web1.
            - user: root
            - mode: 0640

    name
        The absolute path inside the instance.
    instance
        The name of the instance.
    source
        A path of the minion, ``salt://`` or ``https://``.
    source_hash
        What the file of a web server has to be: ``sha256=...``, or the URL of a list of hashes.
    skip_verify
        True: a file of a web server is taken without it.
    contents
        Instead of a source: text, or a list of lines. With neither a source nor this a missing file is made, empty, and
        the content of one that exists is left alone.
    contents_newline
        True: ``contents`` end with a newline.
    template
        ``jinja``, or another of Salt's engines: source or contents are rendered with it.
    context, defaults
        Mappings of variables for the template; of two of one name that of ``context``.
    user, group
        A name that the instance has to know, or a number. None: left alone, of a new file root.
    mode
        Octal digits: ``0640``, ``640`` and ``"0640"`` are the same, as in Salt's own states. None: left alone, of a new
        file 0644. The setuid, setgid and sticky bits cannot be set on LXD 5.0 and Incus 6.0: there that is a failure.
    makedirs
        True: directories that are missing above it are made, mode 0755.
    replace
        False: the content of a file that exists is left alone.
    force
        True: what is of another type, a directory with all that is in it, goes.
    follow_symlinks
        True: of a symbolic link it is the file that is managed that it leads to. False: the file replaces the link,
        whatever it leads to, which stays as it is; this needs no ``force``.
    show_changes
        True: ``changes`` have the difference of a text of 1 MiB at most. False: nothing of the content is told. Secrets
        want False.
    saltenv
        Of ``salt://`` sources; that of the run.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.

    A file is written under a temporary name in its directory and renamed when it is whole: the old one is there until
    then, and after a failure. What it is compared by is its size, then its sha256.
    """

    def plan():
        spec = FileSpec.parse(user, group, mode, makedirs, force, replace, follow_symlinks, show_changes)
        target = _target(instance, name, remote, project)
        text = None if contents is None else sources.from_text(contents, contents_newline)
        given = sources.ContentSpec(source, sources.ExpectedHash(source_hash, skip_verify), text)
        rendering = sources.Template(template, context, defaults)
        content = sources.resolve(__salt__, name, given, _saltenv(saltenv), rendering)
        return fileplan.plan_file(target, content, spec)

    return _state(instance, name, plan)


def directory(name, instance, user=None, group=None, mode=None, makedirs=False, force=False, remote=None, project=None):
    """
    Ensure that a directory exists, with this owner and mode: of a symbolic link, the directory that it leads to.

    .. code-block:: yaml

        /srv/www:
          lxdapi_file.directory:
            - instance: web1
            - mode: 0750
            - makedirs: True

    name
        The absolute path inside the instance.
    instance
        The name of the instance.
    user, group
        A name that the instance has to know, or a number. None: left alone, of a new one root.
    mode
        Octal digits. None: left alone, of a new one 0755.
    makedirs
        True: directories that are missing above it are made.
    force
        True: what is of another type goes.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """

    def plan():
        spec = FileSpec.parse(user, group, mode, makedirs, force)
        return fileplan.plan_directory(_target(instance, name, remote, project), spec)

    return _state(instance, name, plan)


def symlink(name, instance, target, makedirs=False, force=False, remote=None, project=None):
    """
    Ensure that a symbolic link exists and leads there. One that leads elsewhere is replaced, in one step.

    .. code-block:: yaml

        /etc/localtime:
          lxdapi_file.symlink:
            - instance: web1
            - target: /usr/share/zoneinfo/UTC

    name
        The absolute path inside the instance.
    instance
        The name of the instance.
    target
        What it leads to, relative to its directory or absolute; it need not exist.
    makedirs
        True: directories that are missing above it are made.
    force
        True: a file or a directory that is there goes.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """

    def plan():
        spec = FileSpec.parse(makedirs=makedirs, force=force)
        return fileplan.plan_symlink(_target(instance, name, remote, project), target, spec)

    return _state(instance, name, plan)


def absent(name, instance, remote=None, project=None):
    """
    Ensure that there is nothing of that path: a directory goes with all that is in it, of a symbolic link the link.

    .. code-block:: yaml

        /etc/motd:
          lxdapi_file.absent:
            - instance: web1

    name
        The absolute path inside the instance.
    instance
        The name of the instance.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.
    """
    return _state(instance, name, lambda: fileplan.plan_absent(_target(instance, name, remote, project)))


def recurse(
    name,
    instance,
    source,
    user=None,
    group=None,
    dir_mode=None,
    file_mode=None,
    clean=False,
    include=None,
    exclude=None,
    keep_symlinks=False,
    makedirs=True,
    force=False,
    saltenv=None,
    remote=None,
    project=None,
):
    """
    Ensure that a directory holds what one of the minion or of the fileserver does. Only what differs is sent, many
    files at a time. Where ``name`` is a symbolic link, the directory that it leads to is meant; links below it are
    not followed.

    .. code-block:: yaml

        /srv/site:
          lxdapi_file.recurse:
            - instance: web1
            - source: salt://site
            - clean: True

    name
        The absolute path inside the instance.
    instance
        The name of the instance.
    source
        The path of a directory of the minion, or ``salt://``.
    user, group
        Of all of it: a name that the instance has to know, or a number. None: left alone, of what is new root.
    dir_mode, file_mode
        Octal digits. None: left alone, 0755 and 0644 of what is new. ``file_mode: keep``: those of the minion's files.
    clean
        True: what the source does not have is removed; each is in ``changes``.
    include, exclude
        Shell-style patterns, of the path relative to the source or of the name alone. What is excluded is neither
        written nor removed.
    keep_symlinks
        True: links are links; False: they are what they lead to.
    makedirs
        True: directories that are missing above it are made.
    force
        True: what is of another type goes.
    saltenv
        Of ``salt://`` sources; that of the run.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    project
        The project. Default: the remote's, or ``default``.

    ``changes`` are by path, with sizes or hashes and without contents.
    """

    def plan():
        directory = FileSpec.parse(user, group, dir_mode, makedirs, force)
        spec = TreeSpec.parse(directory, file_mode, clean, include, exclude)
        target = _target(instance, name, remote, project)
        local = sources.read_tree(__salt__, source, _saltenv(saltenv), keep_symlinks)
        return plan_tree.plan_recurse(target, local, spec)

    return _state(instance, name, plan)
