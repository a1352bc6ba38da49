"""
Fronts and library of different versions.
"""

import re

import pytest
from lxdapi.errors import InvalidError
from lxdapi.minion import connection, state, version_check
from lxdapi.version import VERSION


def front(version):
    """Return the globals of a state of some version."""
    return {
        "__file__": "/srv/states/lxdapi_profile.py",
        "__version__": version,
        "__salt__": {"config.get": lambda key, default: default},
        "__context__": {},
    }


def test_fronts_of_another_version_are_refused():
    version_check.require_one_version(front(VERSION))
    with pytest.raises(InvalidError, match=f"lxdapi 0.0.0 .*library of lxdapi {re.escape(VERSION)} .*run salt-ssh -t"):
        version_check.require_one_version(front("0.0.0"))
    with pytest.raises(InvalidError, match="lxdapi 0.0.0"):
        connection.connect(front("0.0.0"))
    ret = state.absent({**front("0.0.0"), "__opts__": {"test": False}}, "profile", "web")
    assert (ret["result"], ret["name"]) == (False, "web") and "lxdapi 0.0.0" in ret["comment"]


def test_fronts_without_a_version_are_not_refused():
    version_check.require_one_version({})
