"""
The table of kinds is consistent, and every name of every kind is one path or an error.
"""

from string import Formatter
from urllib.parse import quote, unquote

import pytest
from lxdapi import validation
from lxdapi.errors import InvalidError
from lxdapi.model import objects, rules_and_ports
from lxdapi.model.kinds import KINDS, get_kind
from lxdapi.model.schema import FIELDS, Items, Kind
from lxdapi.plan import converge

from tests.support.fake_transport import MISSING, Paper, server, sync

SORTS = {"map", "devices", "list", "set", "roles", "addresses", "items", "text", "bool", "time", "given"}
DIGEST = "3ad0a4b37f2d7b4e8ab1ad3d1a4ae1b6c2d63dc4a4e1b6c2d63dc4a4e1b6c2d6"
GOOD = {
    "instance": "web-1",
    "fingerprint": DIGEST,
    "plain": "a b%2F?*é",
    "token": "a%2F?*é",
    "snapshot": "a?*é",
    "any": "a/b c",
}
GOOD["address"] = "2001:db8::1"
# A value for each type of field.
VALUES = {
    **{
        "map": {"user.a": "b"},
        "devices": {"d": {"type": "none"}},
        "list": ["a"],
        "set": ["a"],
        "roles": ["a"],
        "text": "x",
    },
    **{"addresses": ["192.0.2.1"], "bool": True, "time": "2030-01-31T00:00:00Z", "given": {"type": "none"}},
}
BAD = ["", ".", "..", "a\n", "a\x00", "\ud800", None, 5, 1.5, True, ["a"], {"a": 1}, b"a"]
words = pytest.mark.parametrize("word", KINDS)
within = pytest.mark.parametrize("word", [word for word, kind in KINDS.items() if kind.parents])
made_by_us = pytest.mark.parametrize("word", [word for word, kind in KINDS.items() if not kind.create.hint])


def placeholders(kind):
    """Return the names of the parts of a kind's path, in order."""
    return tuple(part for _, part, _, _ in Formatter().parse(kind.path) if part)


def good_name(word):
    """Return (a name of the kind, its parts)."""
    kind = KINDS[word]
    parts = [GOOD[KINDS[parent].rule] for parent in kind.parents] + [GOOD[kind.rule]]
    return "/".join(parts), parts


def facts(kind):
    """Return the server data of a daemon that supports everything of a kind."""
    extensions = [kind.extension, *kind.extensions.values(), *kind.needs_extension_to_apply.values()]
    return server(api_extensions=extensions, environment={"server": "incus", "server_clustered": True})


@words
def test_every_field_has_a_type(word):
    kind = KINDS[word]
    assert isinstance(kind, Kind) and set(kind.known) <= set(FIELDS)
    assert set(FIELDS.values()) <= SORTS
    assert len(set(kind.fields)) == len(kind.fields), "no field is named twice"


def test_every_typed_field_belongs_to_a_kind():
    assert set(FIELDS) == {field for kind in KINDS.values() for field in kind.known}


@words
def test_every_named_field_exists(word):
    kind = KINDS[word]
    assert {*kind.after_create, *kind.write.trimmed} <= set(kind.fields)
    assert set(kind.required) <= set(kind.known)
    assert set(kind.create.defaults) <= set(kind.known)
    assert set(kind.extensions) - {"force", "content_type.iso"} <= set(kind.known) | {
        f"{f}.{k}" for f in kind.items for k in known(kind, f)
    }
    assert {place.partition(".")[0] for place in kind.needs_extension_to_apply} <= set(kind.fields)
    assert "force" not in kind.extensions or kind.force_delete
    if kind.create_only_config or kind.write.server_owned:
        assert {"config", "properties"} & set(kind.fields)


def known(kind, field):
    """Return the keys of the elements of a field."""
    return (*kind.items[field].identity, *kind.items[field].attributes)


@words
def test_every_item_list_has_a_specification(word):
    kind = KINDS[word]
    assert {field for field in kind.known if FIELDS[field] == "items"} == set(kind.items)
    for spec in kind.items.values():
        assert isinstance(spec, Items) and spec.identity
        assert set(spec.attributes.values()) <= set(rules_and_ports._VALUES)
        assert not set(spec.identity) & set(spec.attributes)
        assert set(spec.defaults) <= set(spec.attributes) and set(spec.lists) <= set(spec.identity)


@words
def test_the_path_has_a_part_for_each_parent_and_the_name(word):
    kind = KINDS[word]
    assert placeholders(kind) == ((*kind.parents, "name") if kind.path else ())
    assert set(kind.parents) <= set(KINDS)
    assert not kind.path or kind.path.endswith("/{name}") and kind.collection + "/{name}" == kind.path
    for parent in kind.parents:
        assert "/" not in GOOD[KINDS[parent].rule] and KINDS[parent].rule != "any", "a name is split at '/'"


@within
def test_parents_are_consistent(word):
    *above, last = KINDS[word].parents
    assert KINDS[last].parents == tuple(above)


@words
def test_valid_name_is_one_path_with_quoted_parts(word):
    name, parts = good_name(word)
    path = objects.path_of(KINDS[word], name)
    sent = dict(zip(placeholders(KINDS[word]), (quote(part, safe="") for part in parts)))
    if KINDS[word].decoded_twice:
        sent["name"], path = quote(sent["name"], safe=""), unquote(path)
        assert objects.path_of(KINDS[word], name) == KINDS[word].path.format(**sent)
        sent["name"] = unquote(sent["name"])
    assert path == KINDS[word].path.format(**sent)
    assert unquote(path) == KINDS[word].path.format(**dict(zip(placeholders(KINDS[word]), parts)))


@pytest.mark.parametrize("word", ["image_alias", "network_integration", "network_zone", "network_zone_record"])
def test_existing_name_may_contain_a_slash(word):
    before = "web/" * len(KINDS[word].parents)
    assert objects.path_of(KINDS[word], f"{before}a/b", existing=True).endswith("/a%2Fb")


@words
@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_invalid_name_is_refused_with_its_kind(word, name):
    with pytest.raises(InvalidError, match=KINDS[word].label):
        objects.path_of(KINDS[word], name)


@within
@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("part", ["", ".", "..", "a\n", "\x7f"], ids=ascii)
def test_invalid_part_of_a_name_is_refused(word, number, part):
    kind, (_, parts) = KINDS[word], good_name(word)
    parts = [part if place == min(number, len(parts) - 1) else each for place, each in enumerate(parts)]
    with pytest.raises(InvalidError, match="is not valid"):
        objects.path_of(kind, "/".join(parts))


@within
def test_a_name_has_as_many_parts_as_it_takes(word):
    kind, (name, parts) = KINDS[word], good_name(word)
    shape = "/".join([*kind.parents, "name"]).upper()
    for wrong in (parts[-1], f"{name}/x", f"x/{name}", f"/{name}", "/" * len(kind.parents)):
        with pytest.raises(InvalidError, match=f"expected {shape} for .* name|is not valid"):
            objects.path_of(kind, wrong)


@within
def test_each_part_follows_the_rule_of_its_kind(word):
    kind = KINDS[word]
    parts = objects.parts_of(kind, good_name(word)[0])
    assert list(parts) == [*kind.parents, "name"]
    for parent in kind.parents:
        assert validation.check(KINDS[parent].rule, parent, parts[parent])


@made_by_us
def test_a_create_is_one_write_with_its_key_and_the_fields(word):
    kind, (name, parts) = KINDS[word], good_name(word)
    wanted = {field: VALUES[FIELDS[field]] for field in kind.known if FIELDS[field] != "items"}
    paper = Paper(facts(kind), MISSING, *without_limits(kind), sync(status=201))
    (step, *late) = (
        converge.plan_create_new(paper.api, word, name, wanted)
        if kind.extension
        else made_without(paper, word, name, wanted)
    )
    assert step.apply() is None
    seen = paper.seen[-1]
    collection = kind.collection.format(**dict(zip(kind.parents, parts)))
    assert seen.line == f"POST /1.0/{collection}"
    own = {kind.key: parts[-1]} if kind.key else {}
    assert seen.json == {**{f: v for f, v in wanted.items() if f not in kind.after_create}, **own}
    assert [each.verb for each in late] == (["completed"] if kind.after_create else [])


def without_limits(kind):
    """Return the answer to the read of a project, which a create of a limited kind needs."""
    return [MISSING] if "created" in kind.limited else []


def made_without(paper, word, name, wanted):
    """Return the steps; the daemon may be read for fields, but not for the kind."""
    paper.api.server  # noqa: B018 - it is asked once
    return converge.plan_create_new(paper.api, word, name, wanted)


@made_by_us
def test_minimal_create_sends_required_fields_and_defaults(word):
    kind, (name, parts) = KINDS[word], good_name(word)
    paper, least = (
        Paper(facts(kind), MISSING, *without_limits(kind), sync(status=201)),
        dict.fromkeys(kind.required, "x"),
    )
    (step,) = made_without(paper, word, name, least)
    step.apply()
    assert paper.seen[-1].json == {**kind.create.defaults, **least, **({kind.key: parts[-1]} if kind.key else {})}


@pytest.mark.parametrize("word", [word for word, kind in KINDS.items() if kind.required])
def test_create_without_required_field_is_refused(word):
    kind, paper = KINDS[word], Paper(facts(KINDS[word]))
    with pytest.raises(InvalidError, match=f"a new {kind.label} requires {kind.required[0]}"):
        made_without(paper, word, good_name(word)[0], {"description": "x"})
    assert paper.writes == []


@pytest.mark.parametrize("word", [word for word, kind in KINDS.items() if kind.create.hint])
def test_uncreatable_kind_explains_how_it_is_created(word):
    kind, paper = KINDS[word], Paper(facts(KINDS[word]))
    with pytest.raises(InvalidError, match=kind.create.hint.split(",")[0]):
        converge.plan_create_new(paper.api, word, good_name(word)[0], {})
    with pytest.raises(InvalidError, match="it does not exist: "):
        converge.plan_create(paper.api, kind, good_name(word)[0], {})
    assert paper.writes == []


@pytest.mark.parametrize("word", ["profil", "", None, 5, ["profile"], {"profile": 1}, "Profile", "profile "])
def test_unknown_kind_error_lists_kinds(word):
    with pytest.raises(InvalidError, match="unknown kind .*; choose from: certificate, .*, warning"):
        get_kind(word)
