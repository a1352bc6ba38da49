"""
Image servers by name, and the short form of an image source, ``SERVER:ALIAS``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lxdapi import validation
from lxdapi.errors import APIException, InvalidError, LxdapiError
from lxdapi.model import objects

if TYPE_CHECKING:
    from lxdapi.api import API

# The servers of the command line client of each daemon in its default configuration.
#
# Incus: ``incus remote list`` of 6.0.4 and 7.0.2, and DefaultRemotes in shared/cliconfig/default.go.
# LXD: StaticRemotes in lxc/config/default.go of canonical/lxd (main). ``lxc remote list`` of 5.0.2 lacks
# ubuntu-minimal and ubuntu-minimal-daily, and its images is https://images.linuxcontainers.org, which no longer
# serves LXD (canonical/lxd#12742): canonical/lxd#13247 replaced it.
DEFAULT_SERVERS = {
    "Incus": {"images": "https://images.linuxcontainers.org"},
    "LXD": {
        "images": "https://images.lxd.canonical.com",
        "ubuntu": "https://cloud-images.ubuntu.com/releases",
        "ubuntu-daily": "https://cloud-images.ubuntu.com/daily",
        "ubuntu-minimal": "https://cloud-images.ubuntu.com/minimal/releases",
        "ubuntu-minimal-daily": "https://cloud-images.ubuntu.com/minimal/daily",
    },
}
LOCAL = "local"
SIMPLESTREAMS, OCI = "simplestreams", "oci"
_OCI_EXTENSION = "instance_oci"
EXPECTED = "expected one of its aliases or a whole fingerprint (64 digits)"
EXPECTED_OCI = "expected REPOSITORY[:TAG] or REPOSITORY@sha256:DIGEST, such as library/busybox:1.36"
SETTING = "lxdapi:image_servers"
_KEYS = ("server", "protocol", "certificate")
# no path and no URL
_SHORT = "([^:/]+):(?!//)(.*)"


def parse_short(source: Any) -> tuple[str, str] | None:
    """Return (server, alias or fingerprint) of a source in the short form, None for any other source."""
    match = re.fullmatch(_SHORT, source, re.DOTALL) if isinstance(source, str) else None
    # the default alias of the command line clients
    return (match[1], match[2] or "default") if match else None


def parse_reference(text: str) -> dict[str, str]:
    """
    Return the part of a source that names the image: an ``alias``, a ``fingerprint``, or a ``reference``.

    A reference is text that only the daemon can resolve, see :func:`resolve`: a short form or the beginning of a
    fingerprint, unless the daemon has such an alias.
    """
    is_reference = parse_short(text) is not None or validation.is_short_fingerprint(text)
    return {"reference": text} if is_reference else _image(text)


def resolve(api: API, source: dict[str, Any]) -> dict[str, Any]:
    """
    Return a parsed source with its ``reference`` resolved; any other source is returned unchanged.

    An alias of the daemon that equals the reference comes first. ``local:ALIAS`` is an image of the daemon.

    Raises :class:`InvalidError` for an unknown server, for a shortened fingerprint, and for the source of a protocol
    that the daemon does not support.
    """
    if "reference" not in source:
        return _require_whole_fingerprint(api, require_protocol(api, source))
    # imported here, because few sources need it
    from lxdapi.images import image

    reference = source["reference"]
    if image.read_alias_target(api, reference) is not None:
        return {"type": "image", "alias": reference}
    short = parse_short(reference)
    if short is None:
        raise image.short_fingerprint_error(api, reference)
    return {"type": "image", **_image(short[1])} if short[0] == LOCAL else remote_source(api, reference)


def _require_whole_fingerprint(api, source):
    """Return the source; raises for a shortened fingerprint of this daemon, which may mean another image tomorrow."""
    fingerprint = source.get("fingerprint")
    if fingerprint is None or source.get("server") or validation.is_fingerprint(fingerprint):
        return source
    # imported here, because few sources need it
    from lxdapi.images import image

    raise image.short_fingerprint_error(api, fingerprint, source.get("project"))


def remote_source(api: API, source: Any) -> Any:
    """
    Return the REST source of a source in the short form; any other source is returned unchanged.

    Raises :class:`InvalidError` for an unknown server, and for this daemon.
    """
    short = parse_short(source)
    return source if short is None else require_protocol(api, {**settings_of(api, short[0]), **_image(short[1])})


def require_protocol(api: API, source: dict[str, Any]) -> dict[str, Any]:
    """Return the source; raises :class:`InvalidError` if it is an OCI registry and the daemon supports none."""
    if source.get("protocol") == OCI and not api.has(_OCI_EXTENSION):
        raise InvalidError(
            f"{objects.daemon_of(api)} cannot use OCI images: it lacks the API extension {_OCI_EXTENSION}"
        )
    return source


def _image(alias: str) -> dict[str, str]:
    return {"fingerprint": alias.lower()} if validation.is_fingerprint(alias.lower()) else {"alias": alias}


def settings_of(api: API, name: str) -> dict[str, Any]:
    """
    Return the settings of a server by the keys of a REST source.

    Raises :class:`InvalidError` for an unknown server and for invalid settings.
    """
    configured = validation.mapping(SETTING, api.image_servers)
    if LOCAL in configured:
        raise InvalidError(f"{SETTING}: {LOCAL} is the daemon itself: choose another name")
    servers: dict[str, Any] = {**DEFAULT_SERVERS[api.dialect], **configured}
    choice = f"choose from: {', '.join(sorted(servers))}. Define others below {SETTING}"
    if name == LOCAL:
        raise InvalidError(f"source: expected another image server, got {LOCAL}, which is this daemon; {choice}")
    if name not in servers:
        raise InvalidError(
            f"source: expected the name of an image server, got {name}; {choice}, or use {LOCAL}:ALIAS for an image of "
            "the daemon"
        )
    settings = servers[name] if isinstance(servers[name], dict) else {"server": servers[name]}
    validation.require_known(f"{SETTING}: {name}", settings, _KEYS)
    # imported here, because few sources need it
    from lxdapi.images import remote

    try:
        return remote.parse_server(settings)
    except InvalidError as exc:
        raise InvalidError(f"{SETTING}: {name}: {exc}") from exc


def raise_if_missing(source: dict[str, Any], error: APIException) -> None:
    """Raise :class:`LxdapiError` with the server and the image, if the daemon failed because it did not find it."""
    # all three: "Failed getting remote image info: ...: The requested image couldn't be found"; of a registry: "...
    # skopeo ...: manifest unknown"
    if source.get("server") and re.search(
        "remote image.*((not|n't be) found|manifest unknown)", error.error, re.IGNORECASE
    ):
        name = source.get("alias") or source.get("fingerprint")
        expected = EXPECTED_OCI if source.get("protocol") == OCI else EXPECTED
        raise LxdapiError(f"{error.explain()}; {source['server']} does not offer image {name}; {expected}") from error
