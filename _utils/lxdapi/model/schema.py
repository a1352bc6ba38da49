"""
The shape of the table of resource kinds: the differences between kinds, and the types of fields.
"""

from typing import TYPE_CHECKING, Any, Callable, ClassVar, Dict, Iterable, List, NamedTuple, Optional, Tuple

from lxdapi.model.equality import NEVER, satisfies

if TYPE_CHECKING:
    from lxdapi.api import API, APIResult
    from lxdapi.model.diff import Delta

# The type of each field, the same in every kind:
#   map      {key: text}, compared and merged by key
#   devices  {name: {key: text}}, compared and merged by device and by key
#   list     names in an order that counts, compared and replaced as a whole
#   set      names without order, compared and replaced as a whole
#   roles    a set; the daemon adds and removes some of them by itself
#   addresses  addresses, networks and ranges of them, compared as a set by what they mean
#   items    things with an identity (:class:`Items`), compared and merged one by one
#   text, bool, time
#   given    accepted only by a create, and sent unchanged
FIELDS = {
    "access-key": "text",
    "addresses": "addresses",
    "architecture": "text",
    "auto_update": "bool",
    "certificate": "given",
    "config": "map",
    "content_type": "text",
    "description": "text",
    "devices": "devices",
    "driver": "text",
    "egress": "items",
    "backends": "items",
    "entries": "items",
    "ephemeral": "bool",
    "expires_at": "time",
    "failure_domain": "text",
    "groups": "set",
    "ingress": "items",
    "members": "set",
    "name": "text",
    "ports": "items",
    "profiles": "list",
    "projects": "set",
    "properties": "map",
    "public": "bool",
    "restricted": "bool",
    "role": "text",
    "roles": "roles",
    "secret-key": "text",
    "source": "given",
    "stateful": "bool",
    "status": "text",
    "target": "text",
    "target_integration": "text",
    "target_network": "text",
    "target_project": "text",
    "type": "text",
}


# Fields in replies of any kind that no PUT takes. A PUT repeats all other fields, also those that are newer than the
# table.
READ_ONLY = frozenset(
    """
    access_entitlements aliases backups cached certificate content_type count created_at database disk_only driver
    entity_url expanded_config expanded_devices filename fingerprint first_seen_at keys last_message last_seen_at
    last_used_at listen_address location locations managed message name pool project release_codename release_title
    replica_mode restore s3_url server_name severity size snapshots state stateful status status_code
    target_integration target_network target_project type update_source uploaded_at url used_by uuid
    """.split()
)


class Items(NamedTuple):
    """
    A keyed list: its items have an identity.

    identity
        The keys that identify an item.
    attributes
        ``{key: text, bool, number, names or parts}``: the other keys, which can be changed. Parts are
        comma-separated addresses or ports.
    defaults
        The values of a new item unless declared.
    lists
        The keys of the identity that hold comma-separated lists, which have no order.
    beside
        ``{attribute: such a key}``: a list whose entries belong to those of the key, in the same order.
    addresses
        The keys of the identity that can hold an address, which has several spellings.
    ordered_by
        (attribute, field, key): such keys keep their order too if the attribute names an item of the field whose key
        has several values.
    """

    identity: Tuple[str, ...]
    attributes: Dict[str, str]
    defaults: Dict[str, str] = {}
    lists: Tuple[str, ...] = ()
    beside: Dict[str, str] = {}
    ordered_by: Tuple[str, ...] = ()
    addresses: Tuple[str, ...] = ()


class CreateRules(NamedTuple):
    """
    How an object of a kind is created.

    hint
        How to create an object if no request can; "" if a request can.
    fields
        Fields that only a create accepts and no reply shows.
    defaults
        The values that a create sends unless declared.
    server_defaults
        ``{type: config keys}``: the keys that the daemon adds to a new object of this type ("": of any type).
    verifiable
        False if a restart of the daemon makes it impossible to see whether a creation was completed.
    """

    hint: str = ""
    fields: Tuple[str, ...] = ()
    defaults: Dict[str, str] = {}
    server_defaults: Dict[str, Tuple[str, ...]] = {}
    verifiable: bool = True


class WriteRules(NamedTuple):
    """
    How an existing object of a kind is compared and written.

    patch
        Called with the result of the GET and the :class:`lxdapi.model.diff.Delta`; returns the body of a PATCH, or None
        if only a PUT works. Default: None, because the PATCH of most kinds does more or less than documented.
    server_owned
        Prefixes of config keys that belong to the daemon: never compared or cleared unless named.
    required
        ``{type: config keys}``: the keys that an empty mapping keeps, because the daemon requires or restores them.
    read_only
        Fields in replies of this kind that no PUT accepts, in addition to :data:`READ_ONLY`.
    trimmed
        Text fields in which the daemon drops white space at both ends.
    expiry_reset
        The time that clears an expiry.
    slow
        True if the daemon answers a write only when the work is done, however long that takes.
    """

    patch: Optional[Callable[["APIResult", "Delta"], Optional[Dict[str, Any]]]] = None
    server_owned: Tuple[str, ...] = ()
    required: Dict[str, Tuple[str, ...]] = {}
    read_only: Tuple[str, ...] = ()
    trimmed: Tuple[str, ...] = ()
    expiry_reset: str = NEVER
    slow: bool = False


class ClusterRules(NamedTuple):
    """
    The behaviour of a kind in a cluster.

    only
        True: only a clustered server has objects of the kind.
    local
        True if an object can be on one member, and others with its name on other members.
    parts
        True if an object has a part on each member: it is incomplete while its status is Pending or Errored.
    """

    only: bool = False
    local: bool = False
    parts: bool = False


class _Columns(NamedTuple):
    # a dataclass of these takes some milliseconds to import
    path: str
    fields: Tuple[str, ...]
    label: str
    key: str = "name"
    rule: str = "plain"
    parents: Tuple[str, ...] = ()
    create_only: Tuple[str, ...] = ()
    create_only_config: Dict[str, str] = {}
    items: Dict[str, Items] = {}
    extension: Optional[str] = None
    extensions: Dict[str, str] = {}
    project_feature: str = ""
    of_server: bool = False
    rename: bool = False
    force_delete: bool = False
    create: CreateRules = CreateRules()
    write: WriteRules = WriteRules()
    cluster: ClusterRules = ClusterRules()


class Kind(_Columns):
    """
    How one kind of resource is addressed, written and compared.

    path
        The path of an object, with ``{name}`` and a part for each parent; without its last part it is the path of the
        collection.
    fields
        The fields that a PUT writes; a PUT that omits one empties it.
    label
        The kind in words, for comments.
    key
        The field that holds the name, in replies and in a create; "" if a create does not accept it.
    rule
        The rule of :data:`lxdapi.validation.RULES` for the name.
    parents
        The kinds of its parents, outermost first; a name is then ``POOL/VOLUME/SNAPSHOT``.
    create_only
        Immutable fields: they can be declared, but not changed once the object exists.
    create_only_config
        ``{config key: key}``: immutable too, and rewritten by the daemon, which keeps the declared value
        under the other key.
    items
        ``{field: Items}``.
    extension
        The API extension that introduced the kind; None: every daemon has it.
    extensions
        ``{field, field.key or field.value: API extension that introduced it}``.
    project_feature
        The key of a project's config without which the project shares the objects of the default project.
    of_server
        True if the objects belong to the server, not to a project.
    rename
        True if a POST to the object renames it.
    force_delete
        True if a DELETE can be forced.

    Differences of a single kind are in the module of that kind, in a subclass that overrides:

    permanent
        ``{name: why it is neither deleted nor renamed}``.
    required
        Fields that a new object must have.
    after_create
        Fields that a create ignores, so lxdapi writes them after it.
    needs_extension_to_apply
        ``{field.key: API extension}``: without the extension, the daemon stores the key but does not apply it.
    ignores_writes
        True if the daemon accepts writes that it does not do; lxdapi does not repeat them.
    implicit_users
        The entries of ``used_by`` that are deleted with the object, or the beginnings of their paths, which end with a
        slash.
    listed_with_parent
        True if a listing names an object with its parent: ``volume/snapshot``.
    decoded_twice
        True if the daemons decode the name in a path twice.
    limited
        The beginnings of the changes that count for the limits of a project: fields, config keys and ``created``.
    """

    permanent: ClassVar[Dict[str, str]] = {}
    required: ClassVar[Tuple[str, ...]] = ()
    after_create: ClassVar[Tuple[str, ...]] = ()
    needs_extension_to_apply: ClassVar[Dict[str, str]] = {}
    ignores_writes: ClassVar[bool] = False
    implicit_users: ClassVar[Tuple[str, ...]] = ()
    listed_with_parent: ClassVar[bool] = False
    decoded_twice: ClassVar[bool] = False
    limited: ClassVar[Tuple[str, ...]] = ()

    @property
    def collection(self) -> str:
        """Return the path of the collection of this kind."""
        return self.path.rpartition("/")[0]

    @property
    def known(self) -> Tuple[str, ...]:
        """Return every field that can be declared."""
        return tuple(dict.fromkeys(self.fields + self.create_only + self.create.fields))

    def source_of(self, metadata: Dict[str, Any]) -> Optional[str]:
        """Return the source that an export declares for an object, None if nothing but its user knows it."""
        return None

    def put_fields(self, metadata: Iterable[str]) -> List[str]:
        """Return the names of the fields that a PUT of an object repeats."""
        return [key for key in metadata if key in self.fields or key not in (*READ_ONLY, *self.write.read_only)]

    def satisfies(self, key: str, actual: Any, declared: Optional[str]) -> bool:
        """Return True if the actual value of a config key fulfils the declared one."""
        return satisfies(key, actual, declared)

    def require_valid(self, declared: Dict[str, Any], actual: Dict[str, Any]) -> None:
        """Raise :class:`lxdapi.errors.InvalidError` for a declaration that the daemon refuses for this object."""

    def require_renamable(self, metadata: Dict[str, Any]) -> None:
        """Raise :class:`lxdapi.errors.InvalidError` for an object that a daemon does not rename completely."""

    def fields_after_create(self, name: str, declared: Dict[str, Any]) -> Dict[str, Any]:
        """Return the declared fields that lxdapi writes after the create."""
        return {field: declared[field] for field in self.after_create if field in declared}

    def recreate_reason(self, declared: Dict[str, Any], actual: Dict[str, Any]) -> str:
        """Return why an object, which holds no data, has to be deleted and created again; "" if it need not."""
        return ""

    def change_note(self, api: Any, name: str, actual: Any, changes: Any) -> str:
        """Return a note about a change of an object, "" without one; it sends GETs only."""
        return ""

    def obstacle(self, api: Any, name: str) -> str:
        """Return what on the host prevents the creation of an object, "" if nothing is known; it sends GETs only."""
        return ""

    def first_part(self, delta: "Delta", actual: Dict[str, Any]) -> Optional["Delta"]:
        """Return the part of a difference that is written before the rest, None if all of it is written at once."""
        return None

    def undo_first_part(self, first: "Delta", before: Dict[str, Any], actual: Dict[str, Any]) -> "Delta":
        """Return the difference that undoes the first part in an object, as it was before."""
        raise NotImplementedError  # only of a kind with a first part

    def refusal_hint(self, declared: Dict[str, Any], actual: Dict[str, Any], error: str) -> str:
        """Return what may help with the daemon's error for a write, "" if nothing is known."""
        return ""

    def roll_back(self, api: "API", before: "APIResult", delta: "Delta") -> None:
        """Restore the values that an object had before a write that the daemon refused."""

    def is_applied(self, api: Any, error: Any, changes: Any) -> bool:
        """Return True if all users of an object have a saved change, although the daemon reported an error."""
        return False
