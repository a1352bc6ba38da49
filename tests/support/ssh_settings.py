"""
The settings that salt-ssh needs for lxdapi, as documented.
"""

import re

import yaml

from tests.support.documentation import code_blocks
from tests.support.salt_commands import REPO

# The path of the checkout in the documentation.
CHECKOUT = "/srv/lxdapi"


def settings(version, way):
    """Return the master's settings for this version of Salt; the modules come from "pip" or a "checkout"."""
    modules_to_pack, path_of_checkout = map(yaml.safe_load, _documented_block("yaml"))
    if way == "checkout":
        return {**modules_to_pack, **path_of_checkout}
    return {} if int(version.split(".")[0]) >= 3008 else modules_to_pack


def environment():
    """Return the environment variables for salt-ssh with a checkout."""
    (command,) = _documented_block("bash")
    return {"PYTHONPATH": re.match(r"PYTHONPATH=(\S+) salt-ssh ", command)[1]}


def _documented_block(language):
    return [block.replace(CHECKOUT, str(REPO)) for block in code_blocks("docs/how-to/salt-ssh", "salt-ssh", language)]
