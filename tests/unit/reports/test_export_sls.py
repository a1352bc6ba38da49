"""
Exports without a daemon: the text contains its data, and the states accept it.
"""

import ast
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lxdapi.model.kinds import KINDS
from lxdapi.reports import export_sls
from salt.utils.yaml import safe_load

from tests.support.fake_transport import Paper, server, sync

STATES = Path(__file__).resolve().parents[3] / "_states"
# Any text of a daemon: all of Unicode except surrogates and NUL.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
LINES = st.lists(st.sampled_from(["", " ", "a: b", "  - c", "{{ x }}", "# d", "\t", "'", '"', "|"]), max_size=6)


def parameters(word):
    """Return the names of the parameters of a kind's state."""
    tree = ast.parse((STATES / f"lxdapi_{word}.py").read_text(encoding="utf-8"))
    (present,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "present"]
    return {each.arg for each in present.args.args}


@given(st.dictionaries(TEXT, TEXT | LINES.map("\n".join), max_size=4))
def test_exported_text_loads_as_its_states(config):
    states = {name: {"lxdapi_profile.present": [{"config": {name: value}}]} for name, value in config.items()}
    text = export_sls.format_sls(states)
    assert text.startswith("#!yaml\n")
    assert yaml.safe_load(text) == states
    assert safe_load(text) == states


def test_every_declarable_kind_has_a_place_in_the_export():
    assert sorted(export_sls.ORDER) == sorted(set(KINDS) - {"warning"})


@pytest.mark.parametrize("word", export_sls.ORDER)
def test_state_accepts_every_exported_field(word):
    kind, known = KINDS[word], parameters(word)
    declared = {field.replace("-", "_") for field in kind.known}
    assert declared - known == set()
    assert kind.of_server == ("project" not in known)


@pytest.mark.parametrize("word", export_sls.ORDER)
def test_parents_are_exported_first(word):
    place = export_sls.ORDER.index(word)
    assert all(export_sls.ORDER.index(parent) < place for parent in KINDS[word].parents)


def test_reserved_and_duplicate_names_are_qualified():
    states = {}
    for name in ("include", "__web", "web", "web", "web"):
        export_sls._add_state(states, "profile", name, {})
    names = ["profile include", "profile __web", "web", "profile web", "profile profile web"]
    assert list(states) == names
    assert states["profile profile web"] == {"lxdapi_profile.present": [{"name": "web"}]}


def test_cached_image_is_not_exported():
    images = [{"fingerprint": "a" * 64, "cached": True}, {"fingerprint": "b" * 64, "cached": False, "public": True}]
    assert export_sls.read_states(Paper(sync(images), server()).api, "image") == {
        "b" * 64: {"lxdapi_image.present": [{"public": True}]}
    }


def test_secret_keys_are_not_exported():
    secret = {"core.trust_password": True, "peers.ns1.key": "x", "network.ovn.client_key": "x", "user.api-key": "x"}
    found = {"config": {**secret, "peers.ns1.address": "192.0.2.1", "network.ovn.client_cert": "y"}}
    declared = {"network.ovn.client_cert": "y", "peers.ns1.address": "192.0.2.1"}
    assert export_sls._declaration(KINDS["network_zone"], "lan", found) == ("lan", {"config": declared})
