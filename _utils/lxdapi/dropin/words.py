"""
Changes in the words of the removed states: under their keys, and as sentences.

Each function takes the name of the object, the changes of a plan, and whether they are only predicted.
"""

from __future__ import annotations

from typing import Any

from lxdapi.dropin import inputs
from lxdapi.model import diff
from lxdapi.model.kinds import KINDS

Changes = dict[str, Any]


def of_container(name: str, changes: Changes, predicted: bool) -> Changes:
    """Return the changes of ``lxd_container.present``."""
    if "created" in changes:
        words = {"created": _act(predicted, "Created", "create", f'the container "{name}"')}
        return {**words, **_start_changes(name, changes, predicted)}
    words = {key: text for key, text in _parts(changes, predicted).items() if text}
    status = changes.get("status") or {}
    if "restarted" in changes or status.get("old") == status.get("new") == "Running":
        words["restarted"] = _act(predicted, "Restarted", "restart", f'the container "{name}"')
    elif status.get("new") == "Running":
        words["running"] = _act(predicted, "Started", "start", "the container")
    elif status.get("new") == "Stopped":
        words["stopped"] = _act(predicted, "Stopped", "stop", "the container")
    return words


def _start_changes(name, changes, predicted):
    if (changes.get("status") or {}).get("new") not in ("Running", "Frozen"):
        return {}
    return {"started": _act(predicted, "Started", "start", f'the container "{name}"')}


def of_running(name: str, changes: Changes, predicted: bool) -> Changes:
    """Return the changes of ``lxd_container.running``."""
    if "restarted" in changes:
        return {"restarted": _act(predicted, "Restarted", "restart", f'the container "{name}"')}
    return _start_changes(name, changes, predicted)


def of_frozen(name: str, changes: Changes, predicted: bool) -> Changes:
    """Return the changes of ``lxd_container.frozen``."""
    status = changes.get("status") or {}
    words = _start_changes(name, changes, predicted) if status.get("old") not in ("Running", "Frozen") else {}
    if status.get("new") != "Frozen":
        return words
    return {**words, "frozen": _act(predicted, "Froze", "freeze", f'the container "{name}"')}


def of_stopped(name: str, changes: Changes, predicted: bool) -> Changes:
    """Return the changes of ``lxd_container.stopped``."""
    return {"stopped": _act(predicted, "Stopped", "stop", f'the container "{name}"')} if changes else {}


def of_deletion(name: str, changes: Changes, predicted: bool) -> Changes:
    """Return the changes of ``lxd_container.absent``, which predicts under another key than it reports."""
    if "deleted" not in changes:
        return of_stopped(name, changes, predicted)
    key, text = ("removed", "would get deleted.") if predicted else ("deleted", "has been deleted.")
    return {key: f'Container "{name}" {text}'}


def of_removal(label: str) -> Any:
    """Return the function for the changes of ``lxd_image.absent`` or ``lxd_profile.absent``."""

    def words(name, changes, predicted):
        text = "would get deleted." if predicted else "has been deleted."
        return {"removed": f'{label} "{name}" {text}'} if changes else {}

    return words


def of_profile(name: str, changes: Changes, predicted: bool) -> Changes:
    """Return the changes of ``lxd_profile.present``."""
    if "created" in changes:
        text = f'Would create the profile "{name}"' if predicted else f'Profile "{name}" has been created'
        return {"created": text}
    words = {key: text for key, text in _parts(changes, predicted).items() if text}
    if "description" in changes:
        pair = changes["description"]
        what = _act(predicted, "Changed", "change", "the description")
        words["description"] = f'{what} from "{pair["old"] or ""}" to "{pair["new"] or ""}"'
    return words


def of_image(name: str, changes: Changes, predicted: bool) -> Changes:
    """Return the changes of ``lxd_image.present``."""
    words = {}
    if "created" in changes:
        words["created"] = _act(predicted, "Created", "create", f'the image "{name}"')
    aliases = [_alias(alias, pair, predicted) for alias, pair in (changes.get("aliases") or {}).items()]
    # a new image has the alias of the state
    aliases = [text for alias, text in zip(changes.get("aliases") or {}, aliases) if alias != name or not words]
    if aliases:
        words["aliases"] = aliases
    if "public" in changes:
        words["public"] = _act(predicted, "Set", "set", f"public to {changes['public']['new']}")
    return words


def _alias(alias, pair, predicted):
    if pair["new"] is None:
        return _act(predicted, "Removed", "remove", f'alias "{alias}"')
    if pair["old"] is None:
        return _act(predicted, "Added", "add", f'alias "{alias}"')
    return _act(predicted, "Moved", "move", f'alias "{alias}"')


def _parts(changes, predicted):
    """Return the words for profiles, config and devices; empty ones for those that did not change."""
    config, devices = changes.get("config") or {}, changes.get("devices") or {}
    return {
        "profiles": _profiles(changes["profiles"], predicted) if "profiles" in changes else [],
        "config": {key: _key(key, pair, predicted) for key, pair in config.items()},
        "devices": {name: _device(name, pair, predicted) for name, pair in devices.items()},
    }


def _profiles(pair, predicted):
    old, new = pair["old"] or [], pair["new"] or []
    texts = [_act(predicted, "Removed", "remove", f'profile "{each}"') for each in old if each not in new]
    texts += [_act(predicted, "Added", "add", f'profile "{each}"') for each in new if each not in old]
    return texts or [_act(predicted, "Reordered", "reorder", f"profiles to {', '.join(new)}")]


def _key(key, pair, predicted):
    old, new = pair["old"], pair["new"]
    if new is None:
        return f'{_act(predicted, "Removed", "remove", "config key")} "{key}", its value was "{old}"'
    if old is None:
        return f'{_act(predicted, "Added", "add", "config key")} "{key}" = "{new}"'
    return f'{_act(predicted, "Changed", "change", "config key")} "{key}" to "{new}", its value was "{old}"'


def _device(name, pair, predicted):
    if pair["new"] is None:
        return _act(predicted, "Removed", "remove", f'device "{name}"')
    if pair["old"] is None:
        return _act(predicted, "Added", "add", f'device "{name}"')
    return _act(predicted, "Changed", "change", f'device "{name}"')


def _act(predicted, done, verb, what):
    return f"Would {verb} {what}" if predicted else f"{done} {what}"


def of_migration(source: str, target: str) -> Any:
    """Return the function for the changes of ``lxd_container.migrated``, between two addresses."""

    def words(name, changes, predicted):
        what = f'the container "{name}" from "{source}" to "{target}"'
        return {"migrated": _act(predicted, "Migrated", "migrate", what)} if changes else {}

    return words


def of_config(name: str, changes: Changes, predicted: bool) -> Changes:
    """Return the changes of ``lxd.config_managed``, whose name is the key."""
    for key, pair in (changes.get("config") or {}).items():
        if key == "core.trust_password":
            return {"password": "Would set the LXD password"} if predicted else {key: "Changed the password"}
        if predicted:
            return {key: f'Would set the "{key}" to "{pair["new"] or ""}"'}
        return {key: f'Changed from "{pair["old"] or ""}" to "{pair["new"] or ""}"'}
    return {}


def of_trust(address: str) -> Any:
    """Return the function for the changes of ``lxd.authenticate``."""

    def words(_name, changes, predicted):
        text = "Would authenticate with peer" if predicted else "Successfully authenticated with peer"
        return {"authenticated": f"{text}: {address}"} if "trusted" in changes else {}

    return words


def of_init(_name: str, changes: Changes, _predicted: bool) -> Changes:
    """Return changes that are words already."""
    return changes


def synchronize(actual: dict[str, Any], config: Any, devices: Any, predicted: bool) -> Changes:
    """Bring the config and the devices of a mapping to the declared ones, unless predicted; return the words."""
    declared = {k: v for k, v in inputs.whole(inputs.fields("profile", config, devices), actual).items() if v}
    delta = diff.compare(KINDS["profile"], declared, actual)
    if not predicted:
        actual.update(delta.fields)
    return {key: text for key, text in _parts(delta.changes, predicted).items() if text}
