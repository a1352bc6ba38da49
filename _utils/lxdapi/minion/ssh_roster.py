"""
The roster of salt-ssh: the running instances of the remotes and projects in the master's configuration.

The fronts pass their globals; nothing here uses Salt's dunders directly.
"""

import os

from lxdapi import local_files, validation
from lxdapi.errors import InvalidError
from lxdapi.minion import connection, minion_ids, remotes
from lxdapi.model import listing
from lxdapi.salt_inside import calls
from lxdapi.salt_ssh import hosts, programs

_LISTS = ("remotes", "projects")
# roster_defaults are for hosts with an sshd.
_ENTRY = {"user": "root", "sudo": False, "tty": False, "set_path": ""}


def read_targets(names, config_get):
    """
    Return ``{minion id: roster entry}`` of all running instances, by one list for each remote and project.

    names
        The globals of the roster, which lack ``__salt__``.
    config_get
        The runner ``config.get``.
    """
    folder = os.path.join(local_files.cache_folder(names["__opts__"]["cachedir"]), "ssh")
    programs.write(folder)
    programs.require_first(folder)
    names = {**names, "__salt__": {"config.get": config_get}}
    settings = validation.mapping("lxdapi:roster", config_get("lxdapi:roster", {}) or {}, "a mapping of settings")
    validation.require_known("lxdapi:roster", settings, (*_LISTS, "id"), "setting")
    # without a setting, [None] for the default
    labels, projects = (calls.parse_names(f"lxdapi:roster:{each}", settings.get(each)) or [None] for each in _LISTS)
    hosts.share_remotes([remotes.settings_of(config_get, label) for label in labels])
    found = {}
    for index, label in enumerate(labels):
        for project in projects:
            api = connection.connect(names, label, project)
            for name in _list_running(api):
                fields = {"name": name, "project": api.project or "default", "remote": label or remotes.LOCAL}
                pattern = settings.get("id", minion_ids.DEFAULT)
                _add(found, minion_ids.format_id("lxdapi:roster:id", pattern, fields), fields, index)
    return {minion_id: {**_ENTRY, "host": host} for minion_id, (host, _) in found.items()}


def _list_running(api):
    return sorted(name for name, each in listing.list_objects(api, "instance").items() if each["status"] == "Running")


def _add(found, minion_id, fields, index):
    text = f"{fields['name']} in the project {fields['project']} on {fields['remote']}"
    if minion_id in found:
        raise InvalidError(
            f"two instances have the id {minion_id}: {found[minion_id][1]}, and {text}. Set lxdapi:roster:id, for "
            "example to '{name}.{project}'"
        )
    found[minion_id] = hosts.format_host(fields["name"], fields["project"], index), text
