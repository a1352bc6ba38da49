"""
Names, paths and values: invalid ones are rejected before any request, and a name means exactly one object.
"""

from collections import OrderedDict
from datetime import date
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import converge
from requests import Request

from tests.support.fake_transport import Paper, failure, server, sync

DIGEST = "3ad0a4b37f2d7b4e8ab1ad3d1a4ae1b6c2d63dc4a4e1b6c2d63dc4a4e1b6c2d6"
REFUSED_EVERYWHERE = ["", ".", "..", "a\n", "\n", "a\x00b", "\x7f", "\x1f", "a\ud800", None, 5, 1.5, True, ["a"], b"a"]

GOOD = {
    "instance": ["a", "web-1", "1a", "R-a", "x" * 63],
    "fingerprint": [DIGEST],
    "plain": ["web", "a b", "50%", "a?b", "a#b", "*", "é", "...", "a\\b", " "],
    "token": ["web", "50%", "*", "a?b", "é"],
    "snapshot": ["web", "*", "a?b", "é", "before-2.0"],
    "any": ["web", "debian/12", "/", "a b", "a?b#c"],
    "address": ["192.0.2.1", "2001:db8::1", "::"],
}
BAD = {
    "instance": ["-a", "a-", "-", "12", "1", "a_b", "a.b", "a/b", "a b", "é", "x" * 64, "a%", "a\n", "١"],
    "fingerprint": [DIGEST[:12], DIGEST.upper(), DIGEST + "0", "%", DIGEST[:-1] + "%", "_" * 64, "g" * 64],
    "plain": ["a/b", "/", "../a"],
    "token": ["a/b", "a b", "a\tb"],
    "snapshot": ["a/b", "a b", "a\tb", "%2e%2e", "50%"],
    "any": [],
    "address": ["192.0.2", "192.0.2.256", "2001:db8::1/64", "::1%lo", "a", "1", "192.0.2.1 "],
}


@pytest.mark.parametrize("rule, name", [(rule, name) for rule, good in GOOD.items() for name in good])
def test_valid_name_is_unchanged(rule, name):
    assert validation.check(rule, "thing", name) == name


def test_an_address_is_named_as_the_daemons_list_it():
    assert validation.check("address", "forward", "2001:DB8:0::1") == "2001:db8::1"


@pytest.mark.parametrize("rule, name", [(rule, name) for rule, bad in BAD.items() for name in bad])
def test_invalid_name_is_refused_with_its_rule(rule, name):
    with pytest.raises(InvalidError) as caught:
        validation.check(rule, "thing", name)
    assert "thing" in str(caught.value)
    assert validation.RULES[rule][2] in str(caught.value)


@pytest.mark.parametrize("rule", validation.RULES)
@pytest.mark.parametrize("name", REFUSED_EVERYWHERE, ids=ascii)
def test_non_name_is_refused_by_every_rule(rule, name):
    with pytest.raises(InvalidError):
        validation.check(rule, "thing", name)


def test_every_rule_has_a_row_here_and_every_kind_has_a_rule():
    assert set(GOOD) == set(BAD) == set(validation.RULES)
    assert {kind.rule for kind in KINDS.values()} <= set(validation.RULES)


@pytest.mark.parametrize("given, digest", [(DIGEST, DIGEST), (DIGEST.upper(), DIGEST)])
def test_a_fingerprint_is_taken_in_either_case(given, digest):
    assert validation.fingerprint(given) == digest


@pytest.mark.parametrize("given", [DIGEST[:63], "%", "", None, 5])
def test_shortened_fingerprint_is_refused(given):
    with pytest.raises(InvalidError):
        validation.fingerprint(given)
    assert not validation.is_fingerprint(given)


TRICKY = st.text(st.sampled_from("aé./\\%?#&=;:@ \t\n\x00~+*{}[]2eEfF") | st.characters(), max_size=12)


@given(TRICKY)
@example("..")
@example("%2e%2e")
@example("a/../b")
@example("{name}")
@pytest.mark.parametrize("scheme", ["https://h:8443", "http+unix://%2Fs"])
def test_quoted_name_is_exactly_one_segment(scheme, name):
    try:
        validation.check("any", "thing", name)
    except InvalidError:
        return
    path = validation.path("images/aliases/{name}/x", name=name)
    sent = Request("GET", f"{scheme}/1.0/{path}").prepare().url
    parts = urlsplit(sent)
    assert (parts.query, parts.fragment) == ("", "")
    segments = parts.path.split("/")
    assert segments[:4] == ["", "1.0", "images", "aliases"] and segments[5:] == ["x"]
    assert unquote(segments[4]) == name


@given(TRICKY)
@pytest.mark.parametrize("word", sorted(set(KINDS) - {"server"}))
def test_a_request_for_an_object_asks_for_no_other(word, name):
    kind = KINDS[word]
    facts = {"environment": {"server_clustered": True}, "api_extensions": [kind.extension]}
    paper = Paper(*[server(**facts)] if kind.extension or kind.cluster.only else [], sync({}))
    parents = {parent: f"above{number}" for number, parent in enumerate(kind.parents)}
    try:
        objects.read(paper.api, kind, "/".join([*parents.values(), name]))
    except InvalidError:
        assert paper.seen == []
        return
    above = ["", "1.0", *kind.collection.format(**parents).split("/")]
    segments = paper.seen[-1].path.split("/")
    assert segments[:-1] == above
    own = unquote(segments[-1]) if kind.decoded_twice else segments[-1]
    assert unquote(own) == (str(ip_address(name)) if kind.rule == "address" else name)
    assert paper.seen[-1].query == {}


@pytest.mark.parametrize("name, sent", [("a/b", "a%2Fb"), ("a\n", "a%0A"), ("%2e%2e", "%252e%252e")])
def test_old_object_may_have_a_name_refused_for_new_ones(name, sent):
    paper = Paper(failure(404, "not found"))
    assert list(converge.plan_absent(paper.api, "profile", name)) == []
    assert [seen.path for seen in paper.seen] == [f"/1.0/profiles/{sent}"]
    if "%" not in name:
        with pytest.raises(InvalidError):
            converge.plan_present(Paper().api, "profile", name, {})


@given(TRICKY)
def test_typed_path_never_climbs(text):
    paper = Paper(sync({}))
    try:
        paper.api.get(text)
    except InvalidError:
        return
    segments = unquote(paper.seen[0].path).split("/")
    assert not {".", ".."} & set(segments)
    if {"instances", "containers", "virtual-machines", "backups"} & set(segments):
        assert not {".", ".."} & set(unquote("/".join(segments)).split("/"))
    assert "#" not in paper.seen[0].url and "\\" not in paper.seen[0].url


@pytest.mark.parametrize(
    "given, text",
    [
        ("text", "text"),
        (" x ", " x "),
        ("a\r\nb\t", "a\r\nb\t"),
        ("é😀", "é😀"),
        ("007", "007"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (2, "2"),
        (-1, "-1"),
        (10**30, "1" + "0" * 30),
        (None, None),
        ("", None),
    ],
)
def test_a_value_is_the_text_that_the_daemon_takes(given, text):
    assert validation.config_value("limits.cpu", given) == text


@pytest.mark.parametrize("given", [1.5, 2.0, float("nan"), [], ["a"], {}, {"a": 1}, ("a",), b"a", object()], ids=repr)
def test_invalid_config_value_is_refused_and_its_key_named(given):
    with pytest.raises(InvalidError, match="limits.cpu"):
        validation.config_value("limits.cpu", given)


@pytest.mark.parametrize("key", ["cloud-init.user-data", "user.network-config"])
def test_mapping_for_cloud_init_names_the_parameter(key):
    words = rf"the parameter cloud_init .* for config {key}, got a mapping"
    with pytest.raises(InvalidError, match=words):
        validation.config_value(f"config {key}", OrderedDict(packages=["nginx"]))


@pytest.mark.parametrize(
    "given, plain",
    [
        (None, {}),
        ([], {}),
        ({"a": 1}, {"a": 1}),
        (OrderedDict(a=1), {"a": 1}),
        ([{"a": 1}, OrderedDict(b=2)], {"a": 1, "b": 2}),
    ],
)
def test_mapping_may_be_a_list_of_mappings(given, plain):
    assert validation.mapping("devices", given) == plain


@pytest.mark.parametrize(
    "given, words", [(["a"], "a list"), ([{"a": 1}, "b"], "a list"), ({1}, "a set"), (date(2030, 1, 1), "a date")]
)
def test_other_value_is_no_mapping(given, words):
    with pytest.raises(InvalidError, match=f"expected a mapping for devices, got {words}"):
        validation.mapping("devices", given)


@pytest.mark.parametrize("given", ["a\x00b", "\x00", "a\ud800", "\udfff"], ids=ascii)
def test_text_altered_by_the_daemon_is_refused(given):
    with pytest.raises(InvalidError, match="user.x"):
        validation.config_value("user.x", given)


def test_names_are_sorted_naturally():
    ordered = ["", "1a", "2", "10", "a", "a1", "a02", "a2", "a10", "a10b2", "a10b10", "a1" + "0" * 5000, "a-1", "b"]
    assert sorted(reversed(ordered), key=validation.natural_key) == ordered


def test_unknown_names_are_reported_with_the_known_ones():
    validation.require_known("source", {"alias": 1}, ("alias", "server"))
    validation.require_known("source", (), ("alias", "server"))
    for names, unknown in ((["x", "alias", 5], "x, 5"), ({None: 1}, "None")):
        with pytest.raises(InvalidError) as caught:
            validation.require_known("source", names, ("alias", "server"))
        assert str(caught.value) == f"source: unknown key {unknown}; choose from: alias, server"
    with pytest.raises(InvalidError, match="^remote 'x': unknown setting port; choose from: endpoint$"):
        validation.require_known("remote 'x'", ["port"], ["endpoint"], "setting")
