"""
The shape of the table of resource kinds: what can differ between kinds, and what fields hold.
"""

from typing import TYPE_CHECKING, Any, Callable, ClassVar, Dict, Iterable, List, NamedTuple, Optional, Tuple

from lxdapi.model.equality import NEVER, satisfies

if TYPE_CHECKING:
    from lxdapi.api import API, APIResult
    from lxdapi.model.diff import Delta

# What kind of value a field holds, whichever object it is in:
#   map      {key: text}, compared and merged by key
#   devices  {name: {key: text}}, compared and merged by device and by key
#   list     names in an order that counts, compared and replaced as a whole
#   set      names without order, compared and replaced as a whole
#   roles    a set; the daemon adds and removes some of them by itself
#   addresses  addresses, networks and ranges of them, compared as a set by what they mean
#   items    things with an identity (:class:`Items`), compared and merged one by one
#   text, bool, time
#   given    what only a create takes; it is sent as it is
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
        ``{key: text, bool, number, names or parts}``: what it has beyond that, and can be changed. Parts are text
        with commas between, of addresses or ports.
    defaults
        What a new one has unless it is declared.
    lists
        The keys of the identity that hold comma-separated lists, which have no order.
    beside
        ``{attribute: such a key}``: a list that says something of each of the other's in turn.
    """

    identity: Tuple[str, ...]
    attributes: Dict[str, str]
    defaults: Dict[str, str] = {}
    lists: Tuple[str, ...] = ()
    beside: Dict[str, str] = {}


class CreateRules(NamedTuple):
    """
    How an object of a kind is created.

    hint
        Where objects come from that no request creates; "" where a request does.
    fields
        What only a create takes and no reply shows.
    defaults
        What a create sends unless something else is declared.
    server_defaults
        ``{type: config keys}``: what the daemon puts into a new one of this type (of any, for "").
    verifiable
        False where nothing shows whether the creation was completed, if the daemon was restarted meanwhile.
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
        Called with the result of the GET and the :class:`lxdapi.model.diff.Delta`; returns the body of a PATCH, None
        where only a PUT works. Default: None, because the PATCH of most kinds does more or less than documented.
    server_owned
        Prefixes of config keys that belong to the daemon: never compared or cleared unless named.
    read_only
        What the replies of this kind have beside :data:`READ_ONLY` that no PUT takes.
    trimmed
        Text fields where the daemon drops white space at both ends.
    expiry_reset
        The time that clears an expiry that was set.
    slow
        True where the daemon answers a write when the work is done, however long that takes.
    """

    patch: Optional[Callable[["APIResult", "Delta"], Optional[Dict[str, Any]]]] = None
    server_owned: Tuple[str, ...] = ()
    read_only: Tuple[str, ...] = ()
    trimmed: Tuple[str, ...] = ()
    expiry_reset: str = NEVER
    slow: bool = False


class ClusterRules(NamedTuple):
    """
    What a kind is in a cluster.

    only
        True: only a clustered server has any.
    local
        True where an object can be on one member, beside others of its name.
    """

    only: bool = False
    local: bool = False


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
        Of one object, with ``{name}`` and a part for each parent; without its last part it is the
        collection's.
    fields
        What a PUT writes; a PUT that leaves one out empties it.
    label
        The kind in words, for comments.
    key
        The field that holds the name, in replies and in a create; "" where a create does not take it.
    rule
        The rule of :data:`lxdapi.validation.RULES` for the name.
    parents
        The kinds of its parents, outermost first: a name is ``POOL/VOLUME/SNAPSHOT`` then.
    create_only
        Immutable fields: what can be declared but is fixed once the object exists.
    create_only_config
        ``{config key: key}``: immutable as well, and rewritten by the daemon, which keeps what was declared
        under the other key.
    items
        ``{field: Items}``.
    extension
        The API extension that brought the kind; None: every daemon has it.
    extensions
        ``{field or field.key: API extension that brought it}``.
    project_feature
        The key of a project's config without which it shares the default project's objects of this kind.
    of_server
        True where it belongs to the server, whatever the project.
    rename
        True where a POST to the object renames it.
    force_delete
        True where a DELETE can be forced.

    What one kind alone does differently stands in that kind's own module, in a subclass that overrides:

    required
        Fields without which there is no new one.
    after_create
        Fields that a create ignores: they are written after it.
    needs_extension_to_apply
        ``{field.key: API extension}``: a change of the key is stored only, without the extension.
    ignores_writes
        True where the daemon accepts writes that it does not do: such a write is not repeated.
    implicit_users
        What ``used_by`` of a new one names already, and goes with it.
    listed_with_parent
        True where a list names an object with its parent: ``volume/snapshot``.
    decoded_twice
        True where the daemons decode the name in a path twice.
    """

    required: ClassVar[Tuple[str, ...]] = ()
    after_create: ClassVar[Tuple[str, ...]] = ()
    needs_extension_to_apply: ClassVar[Dict[str, str]] = {}
    ignores_writes: ClassVar[bool] = False
    implicit_users: ClassVar[Tuple[str, ...]] = ()
    listed_with_parent: ClassVar[bool] = False
    decoded_twice: ClassVar[bool] = False

    @property
    def collection(self) -> str:
        """Return the path of the collection that the objects of this kind are in."""
        return self.path.rpartition("/")[0]

    @property
    def known(self) -> Tuple[str, ...]:
        """Return every field that can be declared."""
        return tuple(dict.fromkeys(self.fields + self.create_only + self.create.fields))

    def put_fields(self, metadata: Iterable[str]) -> List[str]:
        """Return the names of the fields that a PUT of an object repeats."""
        return [key for key in metadata if key in self.fields or key not in (*READ_ONLY, *self.write.read_only)]

    def satisfies(self, key: str, actual: Any, declared: Optional[str]) -> bool:
        """Return True if the actual value of a config key fulfils the declared one."""
        return satisfies(key, actual, declared)

    def roll_back(self, api: "API", before: "APIResult", delta: "Delta") -> None:
        """Restore the values that an object had before a write that the daemon refused."""

    def is_applied(self, api: Any, error: Any, changes: Any) -> bool:
        """Return True if all users of an object took a change that was saved, although the daemon reported an error."""
        return False
