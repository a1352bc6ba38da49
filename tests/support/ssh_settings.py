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
    modules_to_pack = yaml.safe_load(_documented_block("Salt 3007 and 3006", "yaml"))
    path_of_checkout = yaml.safe_load(_documented_block("A checkout instead of pip", "yaml"))
    if way == "checkout":
        return {**modules_to_pack, **path_of_checkout}
    return {} if int(version.split(".")[0]) >= 3008 else modules_to_pack


def environment():
    """Return the environment variables for salt-ssh with a checkout."""
    command = _documented_block("A checkout instead of pip", "bash")
    return {"PYTHONPATH": re.match(r"PYTHONPATH=(\S+) salt-ssh ", command)[1]}


def _documented_block(heading, language):
    (block,) = code_blocks("docs/how-to/salt-ssh", heading, language)
    return block.replace(CHECKOUT, str(REPO))
