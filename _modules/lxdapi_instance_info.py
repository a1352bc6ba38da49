"""
Data of LXD and Incus instances beside their config: names, logs, metadata, templates, metrics.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import image_metadata, sources
from lxdapi.instances import logs as log_files
from lxdapi.instances import metrics as measurements
from lxdapi.instances import rebuild as images
from lxdapi.instances import rename as renames
from lxdapi.minion import connection
from lxdapi.plan import steps

__version__ = "0.1.0"
__virtualname__ = "lxdapi_instance"


def __virtual__():
    """Add these functions to those of ``lxdapi_instance``."""
    return __virtualname__


def rename(name, new, stop=False, timeout=None, force=False, remote=None, project=None):
    """
    Rename an instance. Returns the changes, which are empty if it already has the name.

    new
        New name. It must not exist.
    stop
        Whether to stop a running instance for the rename and start it again, even if the rename fails. Otherwise a
        running instance is an error, because the daemon only renames stopped instances. Default: false.
    timeout
        Seconds to wait for the instance to shut down. Default: 30.
    force
        Whether to force the stop after ``timeout``; with ``timeout=0`` the stop is forced at once. Default: false.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.rename web1 web2 stop=True
    """
    return steps.apply(
        renames.plan_rename(connection.connect(globals(), remote, project), name, new, stop, timeout, force)
    )


def rebuild(name, source, force=False, timeout=None, remote=None, project=None):
    """
    Rebuild an instance from an image: the data on its root disk is deleted; its config, devices, profiles and addresses
    stay. A running instance is stopped for the rebuild and started again. Returns the changes.

    source
        Alias or fingerprint of an image, ``SERVER:ALIAS``, or a mapping in the form of the REST API, as for
        ``lxdapi_instance.present``; ``none`` for an empty root disk.
    force
        Whether to force the stop of an instance that does not shut down in time. Default: false.
    timeout
        Seconds to wait for the rebuild. Default: 3600.

    Raises an error for an instance with snapshots. Requires the API extension ``instances_rebuild``, which LXD 5.0.2
    lacks.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.rebuild web1 busybox
    """
    source = sources.parse_source(source)
    return steps.apply(
        images.plan_rebuild(connection.connect(globals(), remote, project), name, source, force, timeout)
    )


def console_log(name, clear=False, limit=1048576, remote=None, project=None):
    """
    Return the console output of an instance.

    clear
        Whether to clear the log afterwards. Default: false.
    limit
        Maximum number of bytes; of a longer log, the end is returned. Default: 1 MiB.

    For a running container, the daemon returns each line only once: lines that were read, and lines before the limit,
    do not appear again (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2). Requires the API extension ``console``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.console_log web1 clear=True
    """
    return log_files.read_console_log(connection.connect(globals(), remote, project), name, clear, limit)


def logs(name, remote=None, project=None):
    """
    Return the names of the log files of an instance.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.logs web1
    """
    return log_files.list_logs(connection.connect(globals(), remote, project), name)


def log(name, file, lines=None, limit=1048576, remote=None, project=None):
    """
    Return the end of a log file of an instance.

    file
        A name that ``lxdapi_instance.logs`` returns, such as ``lxc.log``.
    lines
        Number of lines from the end. Default: as many as ``limit`` allows.
    limit
        Maximum number of bytes. The daemon sends only this part of the file. Default: 1 MiB.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.log web1 lxc.log lines=20
    """
    return log_files.read_log(connection.connect(globals(), remote, project), name, file, lines, limit)


def log_delete(name, file, remote=None, project=None):
    """
    Delete a log file of an instance. Returns the changes, which are empty if it does not exist.

    file
        A name that ``lxdapi_instance.logs`` returns. The daemon does not delete ``lxc.log``, ``lxc.conf`` and
        ``qemu.log``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.log_delete web1 migration_dump.log
    """
    return log_files.delete_log(connection.connect(globals(), remote, project), name, file)


def metadata(name, remote=None, project=None):
    """
    Return the metadata that an instance has from its image: architecture, dates, properties, and when templates are
    written.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.metadata web1
    """
    return image_metadata.read_metadata(connection.connect(globals(), remote, project), name)


def metadata_set(name, mapping, remote=None, project=None):
    """
    Update fields of the metadata of an instance. Returns the changes.

    mapping
        Mapping of ``architecture``, ``creation_date``, ``expiry_date`` (seconds since 1970), ``properties`` (mapping of
        keys to text) and ``templates`` (mapping of paths inside the instance to ``template``, ``when`` (list of
        ``create``, ``copy``, ``rename`` and ``start``), ``create_only`` and ``properties``). Fields that are not given
        stay unchanged. In ``properties`` and ``templates``, ``null`` removes a key, and an empty mapping removes all
        keys.

    Requires the API extension ``container_edit_metadata``. No daemon evaluates ``If-Match`` for metadata (LXD 5.0.2,
    Incus 6.0.4, Incus 7.0.2): if two clients remove keys at the same time, the later one wins.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.metadata_set web1 '{properties: {os: Debian, note: null}}'
    """
    return image_metadata.update_metadata(connection.connect(globals(), remote, project), name, mapping)


def templates(name, remote=None, project=None):
    """
    Return the names of the templates of an instance.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.templates web1
    """
    return image_metadata.list_templates(connection.connect(globals(), remote, project), name)


def template(name, template, remote=None, project=None):
    """
    Return the text of a template of an instance.

    template
        A name that ``lxdapi_instance.templates`` returns. A template of more than 1 MiB is an error.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.template web1 hosts.tpl
    """
    return image_metadata.read_template(connection.connect(globals(), remote, project), name, template)


def template_set(name, template, contents, remote=None, project=None):
    """
    Set the text of a template; a missing template is created. Returns the changes.

    template
        Name of the template, without a path.
    contents
        Text of at most 1 MiB. The metadata defines when the template is written, and to which file: see
        ``lxdapi_instance.metadata_set``.

    Requires the API extension ``container_edit_metadata``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.template_set web1 hosts.tpl '127.0.0.1 {{ container.name }}'
    """
    return image_metadata.write_template(connection.connect(globals(), remote, project), name, template, contents)


def template_delete(name, template, remote=None, project=None):
    """
    Delete a template of an instance. Returns the changes, which are empty if it does not exist.

    template
        Name of the template.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.template_delete web1 hosts.tpl
    """
    return image_metadata.delete_template(connection.connect(globals(), remote, project), name, template)


def metrics(name=None, remote=None, project=None):
    """
    Return the measurements of an instance: status, PID, processes, CPU, memory, disk and network.

    name
        Name of the instance. Default: all instances of the project, by name. That is one request, but the daemon
        inspects each instance: it takes about 27 times as long as a list of the instances.

    Sizes are in bytes, CPU times in nanoseconds. None means that the daemon cannot measure the value; a stopped
    instance has zeros. ``addresses`` are the addresses of an interface with their prefix lengths. The keys of ``cpu``,
    ``memory`` and ``disk`` depend on the daemon: LXD 5.0.2 has no ``total``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.metrics web1
    """
    return measurements.read_metrics(connection.connect(globals(), remote, project), name)
