"""
Custom storage volumes from iso files.
"""

from functools import partial

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.http import operations, retry, upload
from lxdapi.instances import backups
from lxdapi.model import objects, project_rules, writes
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from lxdapi.plan.steps import Plan

KIND = KINDS["storage_volume"]


def plan_present(api, name, declared, fetch, renamed_from=None, timeout=None) -> Plan:
    """
    Return the steps to an iso volume with the declared fields.

    declared
        Its ``source`` is a path or a URL.
    fetch
        Called with the source when the volume is created, returns the path of the file.
    timeout
        Seconds for the daemon to write the volume after the upload. Default: 3600.

    The source of an existing volume is not compared.
    """
    source, timeout = declared["source"], validation.parse_seconds(timeout)
    if declared.get("content_type") != "iso":
        raise InvalidError("source: only an iso volume is created from a file: declare content_type: iso")
    fields = {**declared, "source": {"type": "iso"}}
    plan = converge.plan_present(api, "storage_volume", name, fields, renamed_from=renamed_from)
    if not plan.steps or plan.steps[0].changes != {"created": name}:
        return plan
    if "://" not in source:
        upload.open_file(source, "iso file").close()
    creation = plan.steps[0]._replace(apply=lambda: create(api, name, fetch(source), timeout))
    settings = {field: declared[field] for field in KIND.fields if declared.get(field)}
    return plan.with_steps([creation, *converge.plan_follow_up(api, KIND, name, settings)])


def create(api, name, path, timeout=None):
    """Create an iso volume from a file on this machine."""
    parts, prefix = objects.parts_of(KIND, name), f"X-{api.dialect}-"
    if not parts["name"].isascii():
        raise InvalidError(f"{name}: the daemon accepts only ASCII names for iso volumes")
    headers = {"Content-Type": "application/octet-stream", f"{prefix}name": parts["name"], f"{prefix}type": "iso"}
    collection, timeout = validation.path(KIND.collection, **parts), timeout or backups.SECONDS
    send = partial(backups.send_file, api, collection, path, headers, timeout, "iso")
    _ = api.server  # remember when the daemon started, to see a restart
    with project_rules.read(api).one_at_a_time():
        retry.write_verified(api, send, lambda: _verify_created(api, name))


def _verify_created(api, name):
    """
    Return True if the volume was created although the reply was lost, None if it was not.

    The daemon records the volume before it writes the file, so a restart leaves one that may be incomplete. Raises for
    such a volume, which may also be somebody else's.
    """
    operations.wait_until_idle(api, objects.path_of(KIND, name))
    if objects.read(api, KIND, name) is None:
        return None
    if api.has_restarted():
        raise writes.doubtful_error(api, KIND, name)
    return True
