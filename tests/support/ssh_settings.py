"""
What salt-ssh needs for our modules to work on the target, as the README says it.
"""

import re

import yaml

from tests.support.readme import code_blocks
from tests.support.salt_commands import REPO

# Where the README has the checkout.
CHECKOUT = "/srv/lxdapi"


def settings(version, way):
    """Return the master's settings for this version of Salt; the modules come by "pip" or from a "checkout"."""
    modules_to_pack, path_of_checkout = map(yaml.safe_load, _shown("yaml"))
    if way == "checkout":
        return {**modules_to_pack, **path_of_checkout}
    return {} if int(version.split(".")[0]) >= 3008 else modules_to_pack


def environment():
    """Return the variables for salt-ssh that uses a checkout."""
    (command,) = _shown("bash")
    return {"PYTHONPATH": re.match(r"PYTHONPATH=(\S+) salt-ssh ", command)[1]}


def _shown(language):
    return [block.replace(CHECKOUT, str(REPO)) for block in code_blocks("salt-ssh", language)]
