"""
Files inside instances of LXD and Incus.

:depends: requests, requests-unixsocket

lxdapi reaches the files over the daemon: the instance needs no extra software, and a container can be stopped. The
files of a virtual machine are available through its agent while it runs.
"""

from lxdapi.files import content as sources
from lxdapi.files import plan as fileplan
from lxdapi.files import plan_tree
from lxdapi.files.spec import FileSpec, TreeSpec
from lxdapi.files.target import Target
from lxdapi.minion import connection, state

__version__ = "0.1.0"


def _target(instance, path, remote, project):
    return Target.parse(lambda: connection.connect(globals(), remote, project), instance, path)


def _state(instance, name, plan):
    return state.run_plan(globals(), f"file of {instance}", name, plan)


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
    Ensure that a file has the given content, owner and mode.

    .. code-block:: yaml

        /etc/motd:
          lxdapi_file.managed:
            - instance: web1
            - contents: Welcome to web1.
            - user: root
            - mode: 0640

    name
        Absolute path inside the instance.
    instance
        Name of the instance.
    source
        Source of the content: a path on the minion, ``salt://`` or ``https://``. Default: none.
    source_hash
        Expected hash of a file from a web server: ``sha256=...``, or the URL of a list of hashes. Default: none.
    skip_verify
        Whether to accept a file from a web server without ``source_hash``. Default: false.
    contents
        Content, instead of ``source``: text, or a list of lines. A number, a boolean or a date is refused: write it in
        quotes. Default: without ``source`` too, the state creates a missing file empty and leaves the content of an
        existing file unchanged.
    contents_newline
        Whether ``contents`` ends with a newline. Default: true.
    template
        Template engine that renders the source or the contents: ``jinja`` or another engine of Salt. Default: none.
    context, defaults
        Mappings of variables for the template. A variable in ``context`` overrides one in ``defaults``.
    user, group
        User name (must exist in the instance) or UID, and group name or GID. Default: unchanged; ``root`` for a new
        file.
    mode
        Permissions as octal digits: ``0640``, ``640`` and ``"0640"`` mean the same, as in Salt's own states. LXD 5.0
        and Incus 6.0 cannot set the setuid, setgid and sticky bits; the state fails there. Default: unchanged; 0644 for
        a new file.
    makedirs
        Whether to create missing parent directories, with mode 0755. Default: false.
    replace
        Whether to replace the content of an existing file. Default: true.
    force
        Whether to replace an existing path of a different type. A directory is deleted with its content. Default:
        false.
    follow_symlinks
        Whether to manage the file that a symbolic link leads to. False replaces the link itself with the file, without
        ``force``, and leaves the target of the link unchanged. Default: true.
    show_changes
        Whether ``changes`` contains a diff, for text of at most 1 MiB. Set it to false for secrets: ``changes`` then
        shows no content. Default: true.
    saltenv
        Salt environment of ``salt://`` sources. Default: the environment of the state run.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.

    The state writes the file under a temporary name in the same directory and renames it once it is complete; the old
    file stays until then, and after a failure. It compares the size first, then the sha256.
    """

    def plan():
        spec = FileSpec.parse(user, group, mode, makedirs, force, replace, follow_symlinks, show_changes)
        target = _target(instance, name, remote, project)
        text = None if contents is None else sources.from_text(contents, contents_newline)
        content_spec = sources.ContentSpec(source, sources.ExpectedHash(source_hash, skip_verify), text)
        rendering = sources.Template(template, context, defaults)
        content = sources.resolve(__salt__, name, content_spec, state.saltenv_of(globals(), saltenv), rendering)
        return fileplan.plan_file(target, content, spec)

    return _state(instance, name, plan)


def directory(name, instance, user=None, group=None, mode=None, makedirs=False, force=False, remote=None, project=None):
    """
    Ensure that a directory exists with the given owner and mode. For a symbolic link, this is the directory that it
    leads to.

    .. code-block:: yaml

        /srv/www:
          lxdapi_file.directory:
            - instance: web1
            - mode: 0750
            - makedirs: true

    name
        Absolute path inside the instance.
    instance
        Name of the instance.
    user, group
        User name (must exist in the instance) or UID, and group name or GID. Default: unchanged; ``root`` for a new
        directory.
    mode
        Permissions as octal digits. Default: unchanged; 0755 for a new directory.
    makedirs
        Whether to create missing parent directories. Default: false.
    force
        Whether to replace an existing path of a different type. Default: false.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """

    def plan():
        spec = FileSpec.parse(user, group, mode, makedirs, force)
        return fileplan.plan_directory(_target(instance, name, remote, project), spec)

    return _state(instance, name, plan)


def symlink(name, instance, target, makedirs=False, force=False, remote=None, project=None):
    """
    Ensure that a symbolic link exists with the given target. A link with another target is replaced atomically.

    .. code-block:: yaml

        /etc/localtime:
          lxdapi_file.symlink:
            - instance: web1
            - target: /usr/share/zoneinfo/UTC

    name
        Absolute path inside the instance.
    instance
        Name of the instance.
    target
        Target of the link, absolute or relative to the directory of the link. It need not exist.
    makedirs
        Whether to create missing parent directories. Default: false.
    force
        Whether to replace an existing file or directory. Default: false.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
    """

    def plan():
        spec = FileSpec.parse(makedirs=makedirs, force=force)
        return fileplan.plan_symlink(_target(instance, name, remote, project), target, spec)

    return _state(instance, name, plan)


def absent(name, instance, remote=None, project=None):
    """
    Ensure that a path does not exist. A directory is deleted with its content; for a symbolic link, only the link is
    deleted.

    .. code-block:: yaml

        /etc/motd:
          lxdapi_file.absent:
            - instance: web1

    name
        Absolute path inside the instance.
    instance
        Name of the instance.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.
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
    Ensure that a directory has the content of a directory on the minion or on Salt's file server. The state sends only
    the differences, many files at a time. If ``name`` is a symbolic link, the state manages the directory that it leads
    to; it follows no links below it.

    .. code-block:: yaml

        /srv/site:
          lxdapi_file.recurse:
            - instance: web1
            - source: salt://site
            - clean: True

    name
        Absolute path inside the instance.
    instance
        Name of the instance.
    source
        Source directory: a path on the minion, or ``salt://``.
    user, group
        Owner of all files and directories: user name (must exist in the instance) or UID, and group name or GID.
        Default: unchanged; ``root`` for new files and directories.
    dir_mode, file_mode
        Permissions as octal digits. ``file_mode: keep`` copies the modes of the files on the minion. Default:
        unchanged; 0755 for new directories and 0644 for new files.
    clean
        Whether to remove what the source does not contain. ``changes`` lists each removed path. Default: false.
    include, exclude
        Shell-style patterns for the path relative to the source, or for the name alone. Excluded paths are neither
        written nor removed. Default: everything is included.
    keep_symlinks
        Whether to create symbolic links as links. False copies the files that they lead to. Default: false.
    makedirs
        Whether to create missing parent directories. Default: true.
    force
        Whether to replace an existing path of a different type. Default: false.
    saltenv
        Salt environment of ``salt://`` sources. Default: the environment of the state run.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    project
        Name of the project. Default: the project of the remote, or ``default``.

    ``changes`` lists the paths with sizes or hashes, without contents.
    """

    def plan():
        directory = FileSpec.parse(user, group, dir_mode, makedirs, force)
        spec = TreeSpec.parse(directory, file_mode, clean, include, exclude)
        target = _target(instance, name, remote, project)
        local = sources.read_tree(__salt__, source, state.saltenv_of(globals(), saltenv), keep_symlinks)
        return plan_tree.plan_recurse(target, local, spec)

    return _state(instance, name, plan)
