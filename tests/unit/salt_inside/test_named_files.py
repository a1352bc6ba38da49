"""
The files that states name, found in their text.
"""

import pytest
from lxdapi.salt_inside.named_files import NamedFiles

TREE = {
    "top.sls": "base:\n  'db*': [db]\n",
    "db.sls": "secret\n",
    "a.sls": "/etc/a:\n  file.managed:\n    - source: salt://conf/a\n",
    "conf/a": "{% import 'lib/macros.jinja' as m %}{% from './b.jinja' import x with context %}\n",
    "conf/b.jinja": "b",
    "conf/other": "",
    "lib/macros.jinja": '{%- include "lib/deep.jinja" -%}',
    "lib/deep.jinja": "deep",
    "web/init.sls": "include:\n  - .parts\n  {% if x %}\n  - a\n  {% endif %}\n  # b\n\n  - dev: tools\n/etc/x: {}\n",
    "web/parts.sls": "x:\n  file.recurse:\n    - source: salt://{{ slspath }}/tree/\n    - y: salt://{{ os }}/x\n",
    "web/tree/1": "salt://conf/other",
    "web/tree/sub/2": "",
    "web/extra/init.sls": "include: [..parts, 'a']\n",
    "web/map.jinja": "map",
    "web/joined.sls": '{%- set tplroot = "a" %}\n{%- from tplroot ~ "/map.jinja" import m with context %}\n',
    "odd.sls": "a:\n  - source: salt://c d/é f\n  - sources: [salt://conf/a, 'salt://conf/other']\n# salt://web/map.jinja?saltenv=base\n",
    "c d/é f": "",
    "blob.sls": "a: salt://blob\n",
    "blob": "\0 salt://conf/other",
    "loop.sls": "include:\n  - loop\n  - missing\n  - {{ x }}\n",
    "all.sls": "include:\n- web.*",
}
DEV = {"tools.sls": "t: salt://hammer", "hammer": "", "a.sls": ""}


@pytest.fixture
def named():
    """The files of a tree with two environments."""
    trees = {"base": TREE, "dev": DEV}
    return NamedFiles(lambda env: list(trees.get(env, ())), lambda name, env: trees[env][name].encode())


A = {"a.sls", "conf/a", "conf/b.jinja", "lib/macros.jinja", "lib/deep.jinja"}
PARTS = {"web/parts.sls", "web/tree/1", "web/tree/sub/2"}


@pytest.mark.parametrize(
    "mods, names",
    [
        (["a"], A),
        (["web"], A | PARTS | {"web/init.sls"}),
        (["web.extra"], A | PARTS | {"web/extra/init.sls"}),
        (["web.joined"], {"web/joined.sls", "web/map.jinja"}),
        (["odd"], A - {"a.sls"} | {"odd.sls", "c d/é f", "conf/other", "web/map.jinja"}),
        (["blob"], {"blob.sls", "blob"}),
        (["loop"], {"loop.sls"}),
        (["all"], A | PARTS | {"all.sls", "web/extra/init.sls", "web/joined.sls", "web/map.jinja"}),
        (["missing", "salt://db.sls"], set()),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_states_name_their_files_and_no_others(named, mods, names):
    named.add_states(mods, "base")
    assert named.names("base") == names


def test_includes_of_another_environment_are_found_there(named):
    named.add_states(["web"], "base")
    assert named.environments() == ["base", "dev"]
    assert named.names("dev") == {"tools.sls", "hammer"}
    assert named.folders("base") == {"conf", "lib", "web", "web/tree", "web/tree/sub"}


@pytest.mark.parametrize(
    "text, names",
    [
        ("('salt://conf/a',)", A - {"a.sls"}),
        ("x salt://lib", {"lib/macros.jinja", "lib/deep.jinja"}),
        ("salt://", set()),
        ("salt:///", set()),
        ("salt://../db.sls", set()),
        ("salt://con", set()),
        ("salt://{{ x }}", set()),
        ("conf/a", set()),
    ],
)
def test_arguments_name_their_files(named, text, names):
    named.add_text(text, "base")
    assert named.names("base") == names
