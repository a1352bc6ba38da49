"""
The form of a row of the matrix.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """
    The life of one kind: the declaration of each stage, and the resulting object.

    Every text can contain values of the run: ``{image}``, ``{file}``, ``{pem}``, ``{digest}``, ``{folder}``.

    needs
        Raw requests (method, path below /1.0, body) for the prerequisites.
    always
        Fields that every apply must declare.
    alike
        The content of the object after the edit in other spellings: nothing is left to do.
    clear, cleared
        An empty declaration, and the resulting object.
    create_only
        ``{field: (another value, the words of the failure)}``.
    rename
        (The new name, its path), if the daemon supports it.
    description
        A description that the daemon keeps unchanged.
    foreign
        Prefixes of the daemon's own config keys, which are not compared.
    extension
        The API extension that introduced the kind.
    fails
        ``{daemon: its words}`` if it knows the kind but does not support it.
    identity
        The name of the object in ``changes``, if it differs from its name.
    """

    state: str
    name: str
    path: str
    create: dict
    created: dict
    edit: dict
    edited: dict
    edit_changes: dict
    drop: dict
    dropped: dict
    clear: dict = field(default_factory=dict)
    cleared: dict = field(default_factory=dict)
    needs: tuple = ()
    always: dict = field(default_factory=dict)
    alike: dict = field(default_factory=dict)
    create_only: dict = field(default_factory=dict)
    rename: tuple = ()
    absent: dict = field(default_factory=dict)
    description: str = "first line\n\n  second: 'é'\n"
    foreign: tuple = ("volatile.", "image.")
    extension: str = None
    fails: dict = field(default_factory=dict)
    identity: str = None
