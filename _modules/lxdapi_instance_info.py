"""
What the daemon keeps of LXD and Incus instances beside their config: names, logs, metadata, templates, measurements.

:depends: requests, requests-unixsocket
"""

from lxdapi.instances import image_metadata, sources
from lxdapi.instances import logs as log_files
from lxdapi.instances import metrics as measurements
from lxdapi.instances import rebuild as images
from lxdapi.instances import rename as renames
from lxdapi.minion import connection
from lxdapi.plan import steps

__virtualname__ = "lxdapi_instance"


def __virtual__():
    """Add these functions to those of ``lxdapi_instance``."""
    return __virtualname__


def rename(name, new, stop=False, timeout=None, force=False, remote=None, project=None):
    """
    Give the instance another name. Returns what changed; nothing if that is its name.

    new
        The other name; one that is taken is refused.
    stop
        True: one that runs is stopped for that and started again, also if the daemon refuses the name. False: it is
        refused, for the daemon renames only one that is stopped.
    timeout
        Seconds that it has to shut down; 30.
    force
        True: then it is stopped by force; with ``timeout=0`` at once.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.rename web1 web2 stop=True
    """
    return steps.apply(
        renames.plan_rename(connection.connect(globals(), remote, project), name, new, stop, timeout, force)
    )


def rebuild(name, source=None, force=False, timeout=None, remote=None, project=None):
    """
    Make the instance anew from an image: what was in its root disk is gone, its config, devices, profiles and addresses
    stay. One that runs is stopped for that and brought back to its status. Returns what changed.

    source
        The alias or the fingerprint of an image, or a REST source, as for ``lxdapi_instance.present``; None: it becomes
        empty.
    force
        True: if it does not stop in time it is stopped by force.
    timeout
        Seconds for the rebuild; 3600.

    Refused for an instance with snapshots. Needs the API extension ``instances_rebuild``, which LXD 5.0.2 lacks.

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
    Return what the instance has shown on its console; nothing if it has shown nothing.

    clear
        True: empty it afterwards.
    limit
        The most bytes of it; of more the last ones are returned.

    Of a container that runs the daemon gives each line once: what was read, or lies before the limit, does not come
    again (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2). Needs the API extension ``console``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.console_log web1 clear=True
    """
    return log_files.read_console_log(connection.connect(globals(), remote, project), name, clear, limit)


def logs(name, remote=None, project=None):
    """
    Return the names of the instance's log files.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.logs web1
    """
    return log_files.list_logs(connection.connect(globals(), remote, project), name)


def log(name, file, lines=None, limit=1048576, remote=None, project=None):
    """
    Return the end of a log file of the instance.

    file
        A name that ``lxdapi_instance.logs`` returns, such as ``lxc.log``.
    lines
        The last so many lines; None: as many as the limit lets through.
    limit
        The most bytes; the daemon sends no more of a file of any size.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.log web1 lxc.log lines=20
    """
    return log_files.read_log(connection.connect(globals(), remote, project), name, file, lines, limit)


def log_delete(name, file, remote=None, project=None):
    """
    Delete a log file of the instance. Returns what changed; nothing if there is none.

    file
        A name that ``lxdapi_instance.logs`` returns. The daemon keeps ``lxc.log``, ``lxc.conf`` and ``qemu.log``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.log_delete web1 migration_dump.log
    """
    return log_files.delete_log(connection.connect(globals(), remote, project), name, file)


def metadata(name, remote=None, project=None):
    """
    Return what the instance has of its image: architecture, dates, properties, and which templates are written when.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.metadata web1
    """
    return image_metadata.read_metadata(connection.connect(globals(), remote, project), name)


def metadata_set(name, mapping, remote=None, project=None):
    """
    Make fields of the instance's metadata as declared. Returns what changed.

    mapping
        ``architecture``, ``creation_date``, ``expiry_date`` (seconds since 1970), ``properties`` (texts by their keys)
        and ``templates`` (by the path of the file in the instance: ``template``, ``when``, a list of ``create``,
        ``copy``, ``rename`` and ``start``, ``create_only`` and ``properties``). What is not named is left alone; of
        ``properties`` and ``templates`` ``null`` removes a key, and an empty mapping all of them.

    Needs the API extension ``container_edit_metadata``. No daemon looks at ``If-Match`` there (LXD 5.0.2, Incus 6.0.4,
    Incus 7.0.2): of two who remove keys at once, the later one wins.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.metadata_set web1 '{properties: {os: Debian, note: null}}'
    """
    return image_metadata.update_metadata(connection.connect(globals(), remote, project), name, mapping)


def templates(name, remote=None, project=None):
    """
    Return the names of the instance's templates.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.templates web1
    """
    return image_metadata.list_templates(connection.connect(globals(), remote, project), name)


def template(name, template, remote=None, project=None):
    """
    Return the text of a template of the instance.

    template
        A name that ``lxdapi_instance.templates`` returns; one of more than 1 MiB is refused.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.template web1 hosts.tpl
    """
    return image_metadata.read_template(connection.connect(globals(), remote, project), name, template)


def template_set(name, template, contents, remote=None, project=None):
    """
    Make the text of a template as given; one that is not there is made. Returns what changed.

    template
        Its name: no path.
    contents
        The text, of no more than 1 MiB. When it is written to which file, is in the metadata: see
        ``lxdapi_instance.metadata_set``.

    Needs the API extension ``container_edit_metadata``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.template_set web1 hosts.tpl '127.0.0.1 {{ container.name }}'
    """
    return image_metadata.write_template(connection.connect(globals(), remote, project), name, template, contents)


def template_delete(name, template, remote=None, project=None):
    """
    Delete a template of the instance. Returns what changed; nothing if there is none.

    template
        Its name.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.template_delete web1 hosts.tpl
    """
    return image_metadata.delete_template(connection.connect(globals(), remote, project), name, template)


def metrics(name=None, remote=None, project=None):
    """
    Return what the daemon measures of the instance: status, pid, processes, cpu, memory, disk and network.

    name
        None: the same of each instance in the project, by its name. That is one request, but one for which the
        daemon looks into each instance: it takes about 27 times as long as the list of them.

    Bytes, and for the cpu nanoseconds; None for what the daemon cannot measure; zeroes of an instance that is stopped.
    ``addresses`` are those of an interface, with their networks. Which keys there are below ``cpu``, ``memory`` and
    ``disk`` is the daemon's choice: LXD 5.0.2 has no ``total``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_instance.metrics web1
    """
    return measurements.read_metrics(connection.connect(globals(), remote, project), name)
