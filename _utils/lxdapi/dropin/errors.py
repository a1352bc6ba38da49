"""
The errors of the drop-in that are not errors of lxdapi: Salt's own class for a missing object or a wrong argument.

Modules that call ``lxd.container_get`` take :class:`salt.exceptions.CommandExecutionError`, and so every error of
lxdapi, for a failure, and :class:`salt.exceptions.SaltInvocationError` for an object that does not exist.
"""

from __future__ import annotations

from salt.exceptions import SaltInvocationError


def not_found(kind: str, name: str) -> SaltInvocationError:
    """Return the error for an object that does not exist."""
    return SaltInvocationError(f"{kind} '{name}' not found")


def without_key(key: str) -> SaltInvocationError:
    """Return the error for a config key or a device that an object does not have."""
    return SaltInvocationError(f"'{key}' does not exist")


def invalid(text: str) -> SaltInvocationError:
    """Return the error for a wrong argument."""
    return SaltInvocationError(text)
