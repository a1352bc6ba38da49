"""
Salt's real loader over this repository, in-process, as on a minion.
"""

from functools import cached_property
from pathlib import Path

import salt.config
import salt.loader

REPO = Path(__file__).resolve().parents[2]
DROPIN = REPO / "dropin"


class Loaded:
    """
    The modules and states of this repository as Salt loads them, with the remotes of a test.

    ``states`` and ``predicted`` are the same states, the latter with ``test=True``. The settings of lxdapi are the
    remotes and those in ``settings``. With ``dropin``, Salt also loads the drop-in.
    """

    def __init__(self, folder, remotes, file_roots=(), dropin=False, **settings):
        self.folder = folder
        self._module_dirs = [str(REPO), str(Path(__file__).parent / "foreign"), *([str(DROPIN)] if dropin else [])]
        self._settings = settings
        self.tree = folder / "srv"
        self.tree.mkdir(parents=True, exist_ok=True)
        self._roots = [str(self.tree), *file_roots]
        self._remotes = remotes
        self.modules, self.states = self._load(test=False)

    @cached_property
    def predicted(self):
        """The states in test mode."""
        return self._load(test=True)[1]

    def opts(self, test=False):
        """Return the options of a minion."""
        opts = salt.config.DEFAULT_MINION_OPTS.copy()
        opts.update(
            id="functional",
            test=test,
            file_client="local",
            file_roots={"base": self._roots},
            pillar_roots={"base": [str(self.folder / "pillar")]},
            root_dir=str(self.folder),
            cachedir=str(self.folder / "cache"),
            extension_modules=str(self.folder / "extmods"),
            module_dirs=self._module_dirs,
            grains={},
            pillar={},
            lxdapi={"remotes": self._remotes, **self._settings},
        )
        return opts

    def _load(self, test):
        opts, context = self.opts(test), {}
        utils = salt.loader.utils(opts, context=context)
        modules = salt.loader.minion_mods(opts, utils=utils, context=context)
        serializers = salt.loader.serializers(opts)
        return modules, salt.loader.states(opts, modules, utils, serializers, context=context)
