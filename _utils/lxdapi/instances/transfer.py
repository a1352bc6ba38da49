"""
Transfers an instance between daemons: by pull, by push, or relayed by this process.

==========  ======================================  ==========================================================
mode        connection                              requirement
==========  ======================================  ==========================================================
``pull``    the target to the source                the source listens on https where the target reaches it, and the
                                                    project of the target is not restricted (LXD since 6.8)
``push``    the source to the target                the target listens on https where the source reaches it
``relay``   this process to both                    nothing; the data passes through this process
==========  ======================================  ==========================================================

Neither daemon needs to trust the other: the one that connects gets the secrets of the other's operation and its
certificate. LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2 accept instances of each other.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from lxdapi import validation
from lxdapi.errors import APIException, APIOperationException, InvalidError, LxdapiError
from lxdapi.http import operations, retry, websocket_relay
from lxdapi.model import diff, objects, project_rules
from lxdapi.model.kinds import KINDS

if TYPE_CHECKING:
    from lxdapi.api import API

KIND = KINDS["instance"]
MODES = ("pull", "push", "relay")
# The default time limit: a whole disk goes over a network.
SECONDS = 3600
# The volatile keys for a copy on another daemon; all others describe the instance's place on its own daemon.
_KEPT = ("volatile.base_image",)
# The additional keys for a migration: its addresses, and its identity for cloud-init.
_KEPT_MOVED = re.compile(r"volatile\.(uuid|cloud-init\.instance-id|.+\.hwaddr)")
# The keys that a project with limits or restrictions accepts (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
_ACCEPTED = re.compile(r"(?!volatile\.).+|volatile\.(base_image|.+\.hwaddr)")
# Seconds to wait for the second of two failures.
_MOMENT = 1
# A key that changes when a snapshot is restored (Incus 6.0.4, Incus 7.0.2; LXD 5.0.2 does not know it).
GENERATION = "volatile.uuid.generation"
# The error of a daemon that cannot reach the other one (LXD 5.0.2, Incus 6.0.4, Incus 7.0.2).
_UNREACHED = r"Unable to connect to|dial tcp"


class Route(NamedTuple):
    """The route of a transfer: the mode, the URLs to try, and why this mode was chosen."""

    mode: str
    urls: tuple
    why: str

    def __str__(self):
        return f"{self.mode}: {self.why}"


def choose_route(source_api, target_api, mode=None):
    """
    Return the :class:`Route` from one daemon to another.

    mode
        ``pull``, ``push``, ``relay``. Default: chosen by which daemon listens on https, and by what the project of the
        target refuses.
    """
    if mode not in (None, *MODES):
        raise InvalidError.of_value("mode", f"one of {', '.join(MODES)}", mode)
    same_machine = _is_on_this_machine(source_api) and _is_on_this_machine(target_api)
    from_source, from_target = _reachable_urls(source_api, same_machine), _reachable_urls(target_api, same_machine)
    refusal = _pull_refusal(target_api) if mode == "pull" or (mode is None and from_source) else ""
    if mode == "pull" and refusal:
        raise InvalidError(f"mode pull: {refusal}: use push or relay, or omit mode")
    if mode == "pull" or (mode is None and from_source and not refusal):
        return _route_to_listener("pull", from_source, "the source", source_api)
    if mode == "push" or (mode is None and from_target):
        route = _route_to_listener("push", from_target, "the target", target_api)
        return route._replace(why=f"{route.why}, and {refusal}") if refusal else route
    unreachable = f"{refusal}, and the target does not listen on https where the source can reach it"
    nobody = "neither daemon listens on https where the other can reach it"
    return Route("relay", (), "it is declared" if mode else unreachable if refusal else nobody)


def _pull_refusal(target_api):
    """Return why the target refuses a pull, "" if it does not."""
    if not project_rules.refuses_pull(target_api):
        return ""
    return f"LXD refuses pull into the restricted project {target_api.project or 'default'}"


def _route_to_listener(mode, urls, listener, api):
    if not urls:
        raise InvalidError(
            f"mode {mode}: {listener} ({objects.daemon_of(api)}) does not listen on https where the other daemon could "
            "reach it: set core.https_address, or use relay"
        )
    return Route(mode, urls, f"{listener} listens on {urls[0]}")


def _reachable_urls(api, same_machine):
    """Return the URLs where another daemon can reach this one; the URL of this connection comes first."""
    urls = [f"https://{address}" for address in (api.server.get("environment") or {}).get("addresses") or ()]
    if not api.local and urls:
        urls.insert(0, api.endpoint)
    return tuple(url for url in dict.fromkeys(urls) if same_machine or not _is_loopback(url))


def _is_on_this_machine(api):
    """Return True if the daemon runs on this machine."""
    return api.local or _is_loopback(api.endpoint)


def _is_loopback(url):
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


def is_same_daemon(source_api, target_api):
    """Return True if both are the same daemon, or members of one cluster, which share a certificate."""
    one, other = (
        (api.server.get("environment") or {}).get("certificate_fingerprint") for api in (source_api, target_api)
    )
    return one == other if one and other else source_api.endpoint == target_api.endpoint


def require_transferable_snapshots(source_api, target_api, name):
    """
    Raise for snapshots that the target does not accept: LXD 5.0.2 refuses a config key of Incus only near the end of
    the transfer.
    """
    if target_api.has("instance_generation_id"):
        return
    path = validation.path("instances/{name}/snapshots", name=name)
    snapshots = source_api.get(path, params={"recursion": 1}).metadata or []
    names = [each["name"].rpartition("/")[2] for each in snapshots if GENERATION in each["config"]]
    if names:
        raise InvalidError(
            f"{objects.daemon_of(target_api)} does not accept the snapshots {', '.join(names)}: it does not know their "
            f"{GENERATION} (it lacks the API extension instance_generation_id)"
        )


def portable_config(config, moved=False):
    """
    Return the part of an instance's config that goes to another daemon.

    moved
        True: for a migration, which keeps the addresses and identities.
    """

    def goes(key):
        return not key.startswith("volatile.") or key in _KEPT or (moved and _KEPT_MOVED.fullmatch(key))

    return {key: value for key, value in config.items() if goes(key)}


def without_refused_keys(target_api, fields):
    """Return the fields without the config keys that the project of the target refuses."""
    if not project_rules.read(target_api).refuses_volatile(fields["type"]):
        return fields
    return {**fields, "config": {key: value for key, value in fields["config"].items() if _ACCEPTED.fullmatch(key)}}


class Transfer(NamedTuple):
    """
    A transfer of an instance, or of a snapshot of one, to its copy.

    source_api, name
        The :class:`lxdapi.api.API` of the source, and its name: ``INSTANCE`` or ``INSTANCE/SNAPSHOT``.
    target_api, new
        The API of the target, and the name there.
    route
        The :class:`Route`; None if both are the same daemon.
    options
        ``instance_only``, ``refresh``, ``allow_inconsistent`` if they are True.
    seconds
        The time limit of the transfer.
    target
        The cluster member for the copy.
    """

    source_api: API
    name: str
    target_api: API
    new: str
    route: Route
    options: dict
    seconds: float = SECONDS
    target: str | None = None

    def run(self, fields):
        """Create the instance at the target with these fields and wait for both operations."""
        if self.route.mode == "relay":
            return self._relay(fields)
        act = self._pull if self.route.mode == "pull" else self._push
        for number, url in enumerate(self.route.urls, 1):
            try:
                return act(fields, url)
            except APIException as exc:
                if number == len(self.route.urls) or not re.search(_UNREACHED, exc.error):
                    raise
        return None

    def _pull(self, fields, url):
        offer = self._offer()
        try:
            connection = {"operation": url + _operation_path(offer), "certificate": _certificate(self.source_api)}
            acceptance = self._accept(fields, {"mode": "pull", "secrets": _websocket_secrets(offer), **connection})
            self._wait_for_both(acceptance, offer)
        except LxdapiError as exc:
            _cancel(offer, exc)
            raise

    def _push(self, fields, url):
        acceptance = self._accept(fields, {"mode": "push"})
        try:
            connection = {"operation": url + _operation_path(acceptance), "certificate": _certificate(self.target_api)}
            offer = self._offer({"target": {"secrets": _websocket_secrets(acceptance), **connection}})
            self._wait_for_both(offer, acceptance)
        except LxdapiError as exc:
            _cancel(acceptance, exc)
            raise

    def _relay(self, fields):
        acceptance = self._accept(fields, {"mode": "push"})
        try:
            offer = self._offer()
        except LxdapiError:
            _cancel(acceptance)
            raise
        try:
            with websocket_relay.join(_websocket_of(offer), _websocket_of(acceptance)):
                self._wait_for_both(offer, acceptance)
        except LxdapiError:
            _cancel(offer)
            _cancel(acceptance)
            raise

    def _offer(self, more=None):
        """Start the operation of the source, which is then ready to send, and return its result."""
        name, _, snapshot = self.name.partition("/")
        path = objects.path_of(KIND, name)
        path = validation.path(path + "/snapshots/{name}", name=snapshot) if snapshot else path
        body = {"name": snapshot or name, "migration": True, "live": False, **(more or {})}
        # these options do not apply to a snapshot
        options = () if snapshot else ("instance_only", "allow_inconsistent")
        body.update({option: True for option in options if self.options.get(option)})
        return _hide_secrets(self.source_api.post(path, json=body))

    def _accept(self, fields, more):
        """Start the operation of the target, which is then ready to receive, and return its result."""
        options = {option: True for option in ("instance_only", "refresh") if self.options.get(option)}
        body = {**diff.create_body(KIND, fields), "name": self.new, "source": {"type": "migration", **options, **more}}
        member_api = self.target_api.at(self.target) if self.target else self.target_api
        return _hide_secrets(member_api.post(KIND.collection, json=body))

    def _wait_for_both(self, first, second):
        """Wait for both operations; if the first fails, the second may know more."""
        try:
            first.wait(self.seconds)
        except APIException as exc:
            raise _combined_error(exc, _other_error(second)) from exc
        second.wait(self.seconds)


def _hide_secrets(result):
    """Return the result after registering its secrets for masking."""
    result.api.secret_values |= set(_websocket_secrets(result).values())
    return result


def _websocket_secrets(result):
    """Return {channel: secret} of an operation's websockets."""
    metadata = (result.metadata or {}).get("metadata") or {}
    return {channel: value for channel, value in metadata.items() if isinstance(value, str) and len(value) >= 32}


def _websocket_of(result):
    path, query = operations.parse_address(result.data["operation"])
    return result.api, path, query, _websocket_secrets(result)


def _operation_path(result):
    """Return the path of an operation; the other daemon appends the rest."""
    return operations.parse_address(result.data["operation"])[0]


def _certificate(api):
    return api.server["environment"]["certificate"]


def _cancel(result, error=None):
    """
    Cancel an operation that waits for a connection; else it keeps the instance busy for 10 s (LXD) or 30 s (Incus).

    error
        The reason: after a lost reply, the other daemon may be connected.
    """
    if isinstance(error, APIException) and retry.is_outcome_unknown(error):
        return
    path, query = operations.parse_address(result.data["operation"])
    with suppress(LxdapiError):
        result.api.without_retries().delete(path, params=query)


def _other_error(result):
    """Return the error of the other operation, which may fail a moment later; "" if it does not fail."""
    try:
        result.wait(_MOMENT)
    except APIOperationException as exc:
        return exc.error
    except LxdapiError:
        pass
    return ""


def _combined_error(exc, other_error):
    """Return the error with that of the other daemon appended."""
    if not other_error or other_error == exc.error:
        return exc
    combined = type(exc)(exc.result, f"{exc.error}; the other daemon says: {other_error}", exc.method, exc.url)
    combined.started_by, combined.operation = exc.started_by, exc.operation
    return combined
