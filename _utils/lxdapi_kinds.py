"""
The table of resource kinds: what differs between them, as data.

A kind is one word everywhere: the key here, the state file ``lxdapi_<kind>``, the first argument of
``lxdapi.list`` and ``lxdapi.get_one``, the test ids, the headings of the documentation.
"""

from dataclasses import dataclass

from lxdapi_errors import InvalidError

# What kind of value a field holds, whichever object it is in:
#   map      {key: text}, compared and merged by key
#   devices  {name: {key: text}}, compared and merged by device and by key
#   list     ordered, compared and replaced as a whole
#   addresses  addresses, networks and ranges of them, compared as a set by what they mean
#   text, bool, time
FIELDS = {
    "addresses": "addresses",
    "architecture": "text",
    "auto_update": "bool",
    "config": "map",
    "description": "text",
    "devices": "devices",
    "ephemeral": "bool",
    "expires_at": "time",
    "profiles": "list",
    "properties": "map",
    "public": "bool",
    "stateful": "bool",
    "target": "text",
    "type": "text",
}


@dataclass(frozen=True)
class Kind:
    """
    How one kind of resource is addressed, written and compared.

    path
        Of one object, with ``{name}``; without its last part it is the collection's.
    fields
        What a PUT writes; a PUT that leaves one out empties it.
    create_only
        What can be declared but is fixed once the object exists.
    label
        The kind in words, for comments.
    key
        The field that holds the name, in replies and in a create.
    rule
        The rule of :data:`lxdapi_names.RULES` for the name.
    patch
        False where the daemon's PATCH does more or less than it says.
    patch_with
        Fields that a PATCH has to repeat, because it empties them otherwise.
    kept
        Prefixes of keys that belong to the daemon: never compared or cleared unless named.
    extension
        The API extension that brought the kind; None: every daemon has it.
    """

    path: str
    fields: tuple
    label: str
    create_only: tuple = ()
    key: str = "name"
    rule: str = "plain"
    patch: bool = True
    patch_with: tuple = ()
    kept: tuple = ()
    extension: str = None

    @property
    def collection(self):
        """Return the path of the collection that the objects of this kind are in."""
        return self.path.rpartition("/")[0]


KINDS = {
    # PATCH of an image drops expires_at silently (LXD 5.0.2, Incus 6.0.4, 7.0.2); PUT writes it.
    "image": Kind(
        "images/{name}",
        ("auto_update", "expires_at", "profiles", "properties", "public"),
        "image",
        key="fingerprint",
        rule="fingerprint",
        patch=False,
    ),
    # PATCH of an alias answers 500 "context deadline exceeded" on LXD 5.0.2; PUT works on both.
    "image_alias": Kind("images/aliases/{name}", ("description", "target"), "image alias", rule="any", patch=False),
    # PATCH of an instance without description empties it (LXD 5.0.2, Incus 6.0.4; not 7.0.2).
    "instance": Kind(
        "instances/{name}",
        ("architecture", "config", "description", "devices", "ephemeral", "profiles", "stateful"),
        "instance",
        create_only=("type",),
        rule="instance",
        patch_with=("description",),
        kept=("volatile.", "image."),
    ),
    # PATCH of a set empties what it does not name, and without config the daemon's handler panics (Incus 7.0.2).
    "network_address_set": Kind(
        "network-address-sets/{name}",
        ("addresses", "config", "description"),
        "network address set",
        patch=False,
        extension="network_address_set",
    ),
    "profile": Kind("profiles/{name}", ("config", "description", "devices"), "profile"),
}


def kind_of(word):
    """Return the :class:`Kind` of that word; raises :class:`InvalidError` naming those there are."""
    try:
        return KINDS[word]
    except (KeyError, TypeError):
        raise InvalidError(f"unknown kind {word!r}; there are: {', '.join(sorted(KINDS))}") from None
