"""
Builds the cloud-init documents of an instance's config from declared data.
"""

from collections.abc import Mapping
from datetime import date

from lxdapi import validation
from lxdapi.errors import InvalidError

# parameter: (config key without its first part, the head of a document that is declared as a mapping)
_DOCUMENTS = {
    "user_data": ("user-data", "#cloud-config\n"),
    "vendor_data": ("vendor-data", "#cloud-config\n"),
    "network": ("network-config", ""),
}
# The beginnings by which cloud-init recognizes a document; it ignores any other.
_HEADS = (
    *("#cloud-config", "#!", "#include", "#cloud-boothook", "#part-handler", "## template: jinja"),
    *("Content-Type:", "MIME-Version:"),
)
# The second prefix applies if the daemon lacks the API extension cloud_init.
_EXTENSION, _PREFIXES = "cloud_init", ("cloud-init.", "user.")


def merge(api, config, declared):
    """
    Return the declared config with the documents in it.

    config
        A mapping, a list of mappings or None.
    declared
        ``{user_data, vendor_data, network}``, each a mapping, text or None, which removes the document. Default: the
        config is returned unchanged.

    Raises :class:`InvalidError` for an invalid document, and for one that is also declared in the config.
    """
    declared = validation.mapping("cloud_init", declared)
    documents = {name: _parse_document(name, each) for name, each in declared.items()}
    if not documents:
        return config
    if config == {}:
        raise InvalidError("cloud_init: config is declared empty, which removes the documents; declare one of the two")
    config = validation.mapping("config", config)
    twice = [key for name in documents for key in _keys(name) if key in config]
    if twice:
        raise InvalidError(f"cloud_init: {', '.join(twice)} is also declared in config; declare it once")
    prefix = _PREFIXES[0] if api.has(_EXTENSION) else _PREFIXES[1]
    return {**config, **{prefix + _DOCUMENTS[name][0]: text for name, text in documents.items()}}


def _keys(name):
    return [prefix + _DOCUMENTS[name][0] for prefix in _PREFIXES]


def _parse_document(name, value):
    """Return the text of a document, None if the document is to be removed."""
    validation.require_known("cloud_init", [name], _DOCUMENTS)
    what, (_, head) = f"cloud_init {name}", _DOCUMENTS[name]
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        return head + render(what, validation.mapping(what, value))
    if head and not value.startswith(_HEADS):
        raise InvalidError(
            f"{what}: expected text that begins with one of {', '.join(_HEADS)}; cloud-init ignores other text"
        )
    return validation.config_value(what, value)


def render(what, data):
    """
    Return data as YAML, see :mod:`lxdapi.yaml_text`.

    what
        The name of the data, for the message.

    Raises :class:`InvalidError` for data that YAML cannot express.
    """
    # imported here, because only data other than text requires it
    from lxdapi import yaml_text

    try:
        return yaml_text.dump(_to_plain(what, data))
    except RecursionError:
        raise InvalidError(f"{what}: the data is nested too deeply, or contains itself") from None


def _to_plain(what, data):
    """Return data with plain dicts and lists instead of other mappings and tuples."""
    if isinstance(data, Mapping):
        return {_scalar(what, key): _to_plain(f"{what} {key}", value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_to_plain(what, each) for each in data]
    return _scalar(what, data)


def _scalar(what, data):
    validation.require_text(what, data)
    if data is None or isinstance(data, (bool, float, date)):
        return data
    if isinstance(data, (str, int)):
        validation.config_value(what, data)
        return data if isinstance(data, int) else str(data)
    raise InvalidError.of_value(what, "a value that YAML can express (or text)", data, secret=True)
