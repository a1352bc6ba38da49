"""
The shape of a row of the matrix.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """
    One kind's life: what is declared at each stage, and what the object then holds.

    Every text takes the values of the run: ``{image}``, ``{file}``, ``{pem}``, ``{digest}``, ``{folder}``.

    needs
        Raw requests (method, path below /1.0, body) for what has to be there before.
    always
        What every apply has to declare.
    alike
        What the object holds after the edit, spelled otherwise: nothing is to be done.
    clear, cleared
        What is declared empty, and what the object then holds.
    create_only
        ``{field: (another value, the words of the failure)}``.
    rename
        (The new name, its path), where the daemon can.
    description
        A description that the daemon keeps as it is.
    foreign
        Prefixes of config keys that are the daemon's: not compared.
    extension
        The API extension that brought the kind.
    fails
        ``{daemon: its words}`` where it knows the kind and still has none.
    identity
        What ``changes`` calls the object, where that is not its name.
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
