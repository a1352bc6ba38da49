"""
The declaration of an instance, parsed and validated once, without a request.
"""

from typing import Any, Dict, NamedTuple, Optional, Tuple

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.instances import sources
from lxdapi.instances import wait_for as waiting
from lxdapi.model import diff
from lxdapi.model.kinds import KINDS

KIND = KINDS["instance"]
# The fields of an instance that the daemon stores, by the names of the state's parameters.
FIELDS = ("type", "description", "config", "devices", "profiles", "architecture", "ephemeral")
IMAGE_CHANGED = ("ignore", "report", "rebuild")
_TYPES = {"container": "container", "virtual-machine": "virtual-machine", "vm": "virtual-machine"}


class InstanceSpec(NamedTuple):
    """
    A declared instance; :meth:`parse` validates it.

    fields
        The declared ones of :data:`FIELDS`: see :func:`parse_fields`.
    source
        See :func:`lxdapi.instances.sources.parse_source`.
    running
        True, False, or None for undeclared.
    restart_on_change
        True: restart it for a change that takes effect only at a start.
    timeout
        Seconds for a stop, a start or a move. Default: that of each.
    renamed_from
        A stopped instance to rename if this one does not exist.
    target, move
        The destination of a new instance, see :mod:`lxdapi.instances.create`; with ``move`` also of an existing one.
    conditions
        See :func:`lxdapi.instances.wait_for.parse_conditions`.
    snapshot_before
        See :func:`lxdapi.instances.snapshots.with_rollback_snapshot`.
    image_changed
        See :func:`lxdapi.instances.rebuild.plan_image_check`.
    cloud_init, devices_override
        See :func:`lxdapi.instances.cloud_init.merge` and :func:`lxdapi.instances.device_overrides.merge`.
    replace_partial
        True: replace a partial creation although it may hold data, see :mod:`lxdapi.instances.partial_creation`.
    declared
        The fields before :func:`parse_fields`.
    """

    fields: Dict[str, Any]
    source: Dict[str, Any] = sources.UNDECLARED
    running: Optional[bool] = None
    restart_on_change: bool = False
    timeout: Optional[float] = None
    renamed_from: Optional[str] = None
    target: Optional[str] = None
    move: bool = False
    conditions: Tuple[Tuple[str, Any, Optional[float]], ...] = ()
    snapshot_before: bool = False
    image_changed: str = "ignore"
    cloud_init: Any = None
    devices_override: Any = None
    replace_partial: bool = False
    declared: Any = None

    @classmethod
    def parse(
        cls,
        fields,
        source=None,
        running=None,
        restart_on_change=False,
        timeout=None,
        renamed_from=None,
        target=None,
        move=False,
        wait_for=None,
        snapshot_before=False,
        image_changed="ignore",
        cloud_init=None,
        devices_override=None,
        replace_partial=False,
    ):
        """Return the spec; the parameters are those of ``lxdapi_instance.present``, with :data:`FIELDS` as one."""
        if image_changed not in IMAGE_CHANGED:
            raise InvalidError.of_value("image_changed", f"one of {', '.join(IMAGE_CHANGED)}", image_changed)
        return cls(
            fields=parse_fields(fields),
            declared=fields,
            source=sources.parse_source(source),
            running=None if running is None else validation.truth("running", running),
            restart_on_change=validation.flag("restart_on_change", restart_on_change),
            timeout=validation.parse_seconds(timeout),
            renamed_from=renamed_from,
            target=target,
            move=validation.flag("move", move),
            conditions=tuple(waiting.parse_conditions(wait_for)),
            snapshot_before=validation.flag("snapshot_before", snapshot_before),
            image_changed=image_changed,
            cloud_init=cloud_init,
            devices_override=devices_override,
            replace_partial=validation.flag("replace_partial", replace_partial),
        )

    @property
    def goal(self):
        """Return the power state that ``running`` declares, None if undeclared."""
        return {None: None, True: "Running", False: "Stopped"}[self.running]


def parse_fields(declared):
    """Return the declared fields in canonical form; raises :class:`InvalidError` for an invalid one."""
    architecture = declared.get("architecture")
    if architecture is not None:
        # few declare it
        from lxdapi.images.simplestreams import ARCHITECTURES

        architecture = ARCHITECTURES.get(str(architecture), architecture)
    instance_type = normalize_type(declared.get("type"))
    return diff.normalize(KIND, {**declared, "architecture": architecture, "type": instance_type})


def normalize_type(instance_type):
    """Return the instance type as in the REST API; raises :class:`InvalidError` for an unknown one."""
    if instance_type is not None and (not isinstance(instance_type, str) or instance_type not in _TYPES):
        raise InvalidError.of_value("type", "container or virtual-machine (or vm)", instance_type)
    return _TYPES.get(instance_type)
