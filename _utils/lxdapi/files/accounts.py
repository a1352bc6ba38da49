"""
The users and groups of an instance, by its own /etc/passwd and /etc/group.
"""

from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.files import path_jobs
from lxdapi.instances import exec_user

_LISTS = {"user": "passwd", "group": "group"}
# What is longer is no list of users.
_LONGEST = 4 * 1024 * 1024


class Accounts:
    """
    The users and groups of the instance that a session is with; each list is read when it is needed first.
    """

    def __init__(self, session):
        self._session, self._lists = session, {}

    def number(self, word, given):
        """
        Return the number of a user or group.

        word
            ``user`` or ``group``.
        given
            A name, or a number, which need not be in the list; None: None.

        Raises :class:`InvalidError` for a name that the instance does not know.
        """
        given = validation.user_or_group(word, given)
        if given is None or isinstance(given, int):
            return given
        if given not in self._ids(word):
            raise InvalidError(f"{word}: the instance has no {given!r} in /etc/{_LISTS[word]}")
        return self._ids(word)[given]

    def name(self, word, number):
        """Return the name of a number, as text the number where it has none."""
        return next((name for name, each in self._ids(word).items() if each == number), str(number))

    def _ids(self, word):
        if word not in self._lists:
            base = _LISTS[word]
            entries = exec_user.parse(base, self._read(f"/etc/{base}"))
            self._lists[word] = {each[0]: int(each[2]) for each in reversed(entries)}  # the first of a name counts
        return self._lists[word]

    def _read(self, path):
        found = self._session.run(path_jobs.lstat_or_none(path, follow=True))
        if found is None:
            return b""
        blocks = bytearray()

        def sink(block):
            blocks.extend(block)
            return len(blocks) > _LONGEST

        self._session.run(path_jobs.read_blocks(path, sink, found.size))
        return bytes(blocks)
