"""
The users and groups of an instance, read from its /etc/passwd and /etc/group.
"""

from lxdapi.errors import InvalidError
from lxdapi.files import sftp_files
from lxdapi.instances import exec_user

_LISTS = {"user": "passwd", "group": "group"}
# The longest valid list of users.
_LONGEST = 4 * 1024 * 1024


class Accounts:
    """The users and groups of the instance of a session; each list is read on first use."""

    def __init__(self, session):
        self._session, self._lists = session, {}

    def number(self, kind, name_or_number):
        """
        Return the number of a user or group.

        kind
            ``user`` or ``group``.
        name_or_number
            A name, a number, which may be missing from the list, or None.

        Raises :class:`InvalidError` for a name that the instance does not know.
        """
        if name_or_number is None or isinstance(name_or_number, int):
            return name_or_number
        if name_or_number not in self._ids(kind):
            raise InvalidError(f"{kind} {name_or_number!r} not found in /etc/{_LISTS[kind]} of the instance")
        return self._ids(kind)[name_or_number]

    def name(self, kind, number):
        """Return the name of a user or group number, or the number as text."""
        return next((name for name, each in self._ids(kind).items() if each == number), str(number))

    def _ids(self, kind):
        if kind not in self._lists:
            base = _LISTS[kind]
            entries = exec_user.parse(base, self._read(f"/etc/{base}"))
            self._lists[kind] = {
                each[0]: int(each[2]) for each in reversed(entries)
            }  # the first entry of a name counts
        return self._lists[kind]

    def _read(self, path):
        attributes = self._session.run(sftp_files.lstat_or_none(path, follow=True))
        if attributes is None:
            return b""
        blocks = bytearray()

        def sink(block):
            blocks.extend(block)
            return len(blocks) > _LONGEST

        self._session.run(sftp_files.read_blocks(path, sink, attributes.size))
        return bytes(blocks)
