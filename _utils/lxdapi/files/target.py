"""
A path in an instance, and the sessions to work on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

from lxdapi import validation
from lxdapi.api import API
from lxdapi.errors import APINotFoundException, InvalidError
from lxdapi.files import sftp_protocol, sftp_session
from lxdapi.plan import steps
from lxdapi.plan.steps import Plan, Step, Steps


@dataclass(frozen=True)
class Target:
    """A path in an instance: the API, the instance's name, the path; :meth:`parse` validates it."""

    api: API
    instance: str
    path: str

    @classmethod
    def parse(cls, connect: Callable[[], API], instance: str, path: str) -> Target:
        """
        Return the target; raises :class:`InvalidError` for an invalid instance or path, before any request.

        connect
            Called without arguments, returns the API.
        """
        validation.check("instance", "instance", instance)
        path = _parse_path(path)
        return cls(connect(), instance, path)

    @property
    def label(self) -> str:
        """Return the path in printable form."""
        return sftp_protocol.format_path(self.path)

    def with_session(self, work: Callable) -> Any:
        """Run ``work`` in a session, see :func:`lxdapi.files.sftp_session.with_session`."""
        return sftp_session.with_session(self.api, self.instance, work)

    def plan(self, look: Callable[..., Steps]) -> Plan:
        """
        Return the plan of the steps that ``look`` returns in a session; if the files are unreachable, the plan has
        one step with the reason.
        """
        try:
            return Plan.of(self.with_session(look))
        except (APINotFoundException, sftp_protocol.UnreachableError) as exc:
            reason = exc.explain()

        def apply():
            return steps.apply(self.with_session(look))

        return Plan.of([Step("created", {"created": self.label}, apply, missing=lambda: reason)])


def _parse_path(path):
    """Return the normalized path in an instance; raises :class:`InvalidError` for an invalid one."""
    validation.absolute_path("path in the instance", path)
    if {".", ".."} & set(path.split("/")):
        raise InvalidError.of_value("path in the instance", "a path without '.' and '..'", path)
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise InvalidError(f"path {path!r} contains an unpaired surrogate") from None
    return "/" + "/".join(filter(None, path.split("/")))
