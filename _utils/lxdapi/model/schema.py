"""
The shape of the table of resource kinds: what can differ between kinds, and what fields hold.
"""

from dataclasses import dataclass, field

from lxdapi.model.equality import NEVER

# What kind of value a field holds, whichever object it is in:
#   map      {key: text}, compared and merged by key
#   devices  {name: {key: text}}, compared and merged by device and by key
#   list     names in an order that counts, compared and replaced as a whole
#   set      names without order, compared and replaced as a whole
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
    "roles": "set",
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


# What a reply has and no PUT takes, of any kind: a PUT repeats whatever else there is, also what is newer than
# the table.
READ_ONLY = frozenset(
    """
    access_entitlements aliases backups cached certificate content_type count created_at database disk_only driver
    entity_url expanded_config expanded_devices filename fingerprint first_seen_at keys last_message last_seen_at
    last_used_at listen_address location locations managed message name pool project release_codename release_title
    replica_mode restore s3_url server_name severity size snapshots state stateful status status_code
    target_integration target_network target_project type update_source uploaded_at url used_by uuid
    """.split()
)


@dataclass(frozen=True)
class Items:
    """
    A list of things with an identity.

    identity
        The keys that tell which thing it is.
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

    identity: tuple
    attributes: dict
    defaults: dict = field(default_factory=dict)
    lists: tuple = ()
    beside: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """
    How one kind of resource is addressed, written and compared.

    path
        Of one object, with ``{name}`` and a part for each parent; without its last part it is the
        collection's.
    fields
        What a PUT writes; a PUT that leaves one out empties it.
    label
        The kind in words, for comments.
    create_only
        What can be declared but is fixed once the object exists.
    creates
        What only a create takes and no reply shows.
    demanded
        Fields without which there is no new one.
    defaults
        What a create sends unless something else is declared.
    late
        Fields that a create ignores: they are written after it.
    key
        The field that holds the name, in replies and in a create; "" where a create does not take it.
    rule
        The rule of :data:`lxdapi.validation.RULES` for the name.
    parents
        The kinds of what it is in, outermost first: a name is ``POOL/VOLUME/SNAPSHOT`` then.
    items
        ``{field: Items}``.
    patch
        False where the daemon's PATCH does more or less than it says.
    patch_with
        Fields that a PATCH has to repeat, because it empties them otherwise.
    patch_unsets
        True where only PATCH with an empty value removes a key.
    patch_whole
        True where a PATCH repeats the whole config, because a failing one loses what it does not name.
    kept
        Prefixes of keys that belong to the daemon: never compared or cleared unless named.
    automatic
        Members of sets that the daemon gives and takes by itself.
    checked
        True where the daemon accepts what it does not do: it is read again after a write.
    trimmed
        Text fields of which the daemon drops white space at both ends.
    assumed
        ``{config key: value}``: what an absent key means, where the daemon drops one that is set to its default.
    rewritten
        ``{config key: key}``: fixed once the object exists, and rewritten by the daemon, which keeps
        what was declared under the other key.
    extension
        The API extension that brought the kind; None: every daemon has it.
    extensions
        ``{field or field.key: API extension that brought it}``.
    feature
        The key of a project's config without which it shares the default project's objects of this kind.
    filled
        ``{type: config keys}``: what the daemon puts into a new one of this type (of any, for "").
    shown
        What the replies of this kind have beside :data:`READ_ONLY` that no PUT takes.
    partless
        Types of which the daemon makes the parts on the members of a cluster by itself.
    slow
        True where the daemon answers a write when the work is done, however long that takes.
    inert
        ``{field.key: API extension}``: a change of the key that is stored only, without the extension.
    clustered
        True: only a clustered server has any.
    local
        True where an object can be on one member of a cluster, beside others of its name.
    made
        How an object comes about, where it cannot be created by a request for it.
    born_with
        What ``used_by`` of a new one names already, and goes with it.
    rename
        True where a POST to the object renames it.
    forcible
        True where a DELETE can be forced.
    provable
        False where nothing tells whether one was made to the end, if the daemon was restarted meanwhile.
    never
        The time that clears one that was set.
    qualified
        True where a list names an object with what it is in before it: ``volume/snapshot``.
    declarable
        False for what only the daemon makes, and nobody wants to be there.
    of_server
        True where it belongs to the server, whatever the project.
    """

    path: str
    fields: tuple
    label: str
    create_only: tuple = ()
    creates: tuple = ()
    demanded: tuple = ()
    defaults: dict = field(default_factory=dict)
    late: tuple = ()
    key: str = "name"
    rule: str = "plain"
    parents: tuple = ()
    items: dict = field(default_factory=dict)
    patch: bool = True
    patch_with: tuple = ()
    patch_unsets: bool = False
    patch_whole: bool = False
    kept: tuple = ()
    automatic: tuple = ()
    checked: bool = False
    trimmed: tuple = ()
    assumed: dict = field(default_factory=dict)
    rewritten: dict = field(default_factory=dict)
    extension: str = None
    extensions: dict = field(default_factory=dict)
    feature: str = ""
    filled: dict = field(default_factory=dict)
    shown: tuple = ()
    partless: tuple = ()
    slow: bool = False
    inert: dict = field(default_factory=dict)
    clustered: bool = False
    local: bool = False
    made: str = ""
    born_with: tuple = ()
    rename: bool = False
    forcible: bool = False
    provable: bool = True
    never: str = NEVER
    qualified: bool = False
    declarable: bool = True
    of_server: bool = False

    @property
    def collection(self):
        """Return the path of the collection that the objects of this kind are in."""
        return self.path.rpartition("/")[0]

    @property
    def known(self):
        """Return every field that can be declared."""
        return tuple(dict.fromkeys(self.fields + self.create_only + self.creates))

    def written(self, found):
        """Return the names of what a PUT of an object repeats."""
        return [key for key in found if key in self.fields or key not in (*READ_ONLY, *self.shown)]
