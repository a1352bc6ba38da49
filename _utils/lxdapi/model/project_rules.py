"""
The effect of the limits and restrictions of a project on its instances and volumes.

LXD 5.0.2 and Incus 6.0.4 compare the aggregate limits of a project (``limits.instances``, ``limits.disk`` and so on)
with the objects that exist when a request arrives: simultaneous requests all pass, and afterwards the daemon refuses
every change of these objects. Incus 7.0.2 enforces the limits. So in a project with limits this process sends one
such request after the other. A start does not count: the limits are about what an instance may use, running or not.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Iterator, NamedTuple

from lxdapi import validation
from lxdapi.errors import APIException
from lxdapi.http import retry
from lxdapi.model import objects
from lxdapi.model.cached_reads import uncached_reads
from lxdapi.model.kinds import KINDS

if TYPE_CHECKING:
    from lxdapi.api import API
    from lxdapi.model.schema import Kind

# LXD 6.8 refuses some requests that older ones accept, without an API extension of its own; this one came with it.
_SINCE_LXD_6_8 = "bulk_operations"
# By process, endpoint and project. A forked process may inherit a lock that nobody releases, so it has its own.
_LOCKS: dict[Any, Any] = {}


class ProjectRules(NamedTuple):
    """
    The rules of one project.

    place
        The endpoint and the name of the project.
    config
        Its config, {} if it does not exist or this client must not read it.
    """

    place: tuple[str, str]
    config: dict[str, str]

    @property
    def has_limits(self) -> bool:
        """Return True if the project has a limit."""
        return any(key.startswith("limits.") for key in self.config)

    @property
    def is_restricted(self) -> bool:
        """Return True if the project has ``restricted: true``."""
        return _is_true(self.config, "restricted")

    def refuses_volatile(self, instance_type: str | None) -> bool:
        """
        Return True if the project can refuse a ``volatile.*`` key of a new instance.

        A project with a limit or with ``restricted: true`` refuses most of them (LXD 5.0.2, Incus 6.0.4; Incus 7.0.2
        only with ``restricted: true``), unless it allows low-level options for instances of this type.
        """
        if not self.is_restricted and not self.has_limits:
            return False
        return self.config.get(f"restricted.{instance_type or 'container'}s.lowlevel") != "allow"

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """In a project with limits, wait until no other thread of this process is within such a block."""
        if not self.has_limits:
            yield
            return
        with _LOCKS.setdefault((os.getpid(), *self.place), threading.RLock()):
            yield


def _is_true(config, key):
    return str(config.get(key, "")).lower() in validation.TRUE


def refuses_pull(api: API) -> bool:
    """Return True if the daemon lets no instance of another daemon into the API's project by pull: LXD since 6.8."""
    return _is_lxd_since_6_8(api) and read(api).is_restricted


def refuses_public_images(api: API) -> bool:
    """Return True if no image of the API's project can be public: in LXD since 6.8, only those of ``default`` can."""
    if api.project in (None, "default") or not _is_lxd_since_6_8(api):
        return False
    return _is_true(read(api).config, str(KINDS["image"].project_feature))


def _is_lxd_since_6_8(api):
    return api.dialect == "LXD" and api.has(_SINCE_LXD_6_8)


def read(api: API) -> ProjectRules:
    """Return the :class:`ProjectRules` of the API's project."""
    name, kind = api.project or "default", KINDS["project"]
    read_now = partial(_read_project, api, kind, name)
    # only the config is used: a write to an instance changes ``used_by``
    path = f"{kind.collection}/{name} config"
    result = read_now() if api.cache is None else api.cache.get_apart(api, path, kind.collection, read_now)
    return ProjectRules((api.endpoint, name), (result.metadata.get("config") or {}) if result else {})


def _read_project(api, kind, name):
    """Return the result of a read of the project, None if it does not exist or this client must not read it."""
    try:
        with uncached_reads():
            # a project belongs to no member
            return objects.read(api.without_target(), kind, name)
    except APIException as exc:
        if not retry.is_refusal(exc):
            raise
        return None


def in_turn(api: API, kind: Kind, changes: dict[str, Any], act: Callable[[], Any]) -> Callable[[], Any]:
    """
    Return ``act``, which creates or changes an object, so that it runs one at a time where limits count the changes.

    changes
        As in the result of a state.
    """
    names = (*changes, *(changes.get("config") or ()))
    return partial(_act_alone, api, act) if any(name.startswith(kind.limited) for name in names) else act


def _act_alone(api, act):
    with read(api).one_at_a_time():
        return act()
