"""
The read cache of a run of Salt, which also keeps the settings that Salt looks up.
"""

from lxdapi.model import cached_reads
from lxdapi.model.read_cache import SECONDS, ReadCache

KEY = "lxdapi:read_cache"


class RunCache(ReadCache):
    """A :class:`lxdapi.model.read_cache.ReadCache` for all daemons of one run."""

    def __init__(self, seconds=SECONDS):
        super().__init__(seconds)
        self._settings = {}

    def setting(self, key, default, read):
        """Return a setting; it is read once while only states of lxdapi run."""
        if cached_reads.current_permission() is None:
            return read(key, default)
        if key not in self._settings:
            self._settings[key] = read(key, default)
        return self._settings[key]

    def clear(self):
        """Drop everything."""
        super().clear()
        self._settings.clear()
