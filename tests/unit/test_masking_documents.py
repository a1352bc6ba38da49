"""
Changes of cloud-init documents: a diff without secrets.
"""

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lxdapi import masking
from lxdapi.model import diff
from lxdapi.model.kinds import KINDS

HIDDEN = masking.MASK
# Nobody may see this text, wherever it is in a document.
SECRET = "hunter2"

MASKED = {
    "a key": ("password: hunter2", "password: (hidden)"),
    "a key in quotes": ("'password' : 'hunter2'", "'password' : (hidden)"),
    "a key with more words": ("my db_password_2: hunter2", "my db_password_2: (hidden)"),
    "a key in any case": ("PassWord: hunter2", "PassWord: (hidden)"),
    "a key with another spelling": ('"pass\\x77ord": hunter2', '"pass\\x77ord": (hidden)'),
    "a key with a question mark": ("? password\n: hunter2", "? password\n: (hidden)"),
    "a key with a tab": ("password:\thunter2", "password:\t(hidden)"),
    "a key of a list": ("- password: hunter2", "- password: (hidden)"),
    "a key of a list with room": ("-   password: hunter2", "-   password: (hidden)"),
    "a key of a list of lists": ("- - password: hunter2", "- - password: (hidden)"),
    "deep": ("a:\n  b:\n    - c:\n        password: hunter2", "a:\n  b:\n    - c:\n        password: (hidden)"),
    "in braces": ("users: [{name: a, passwd: hunter2}]", "users: [{name: a, passwd: (hidden)"),
    "in braces of several lines": ("a: {b: [{password:\n hunter2}]}", "a: {b: [{password:\n (hidden)"),
    "in JSON": ('{"a": 1,\n "password": "hunter2"}', '{"a": 1,\n "password": (hidden)'),
    "a block": ("password: |\n  hunter2\n  x\nb: c", "password: (hidden)\n  (hidden)\n  (hidden)\nb: c"),
    "a folded block": ("password: >+\n  hunter2\nb: c", "password: (hidden)\n  (hidden)\nb: c"),
    "a block with a number": ("password: |2-\n    hunter2\nb: c", "password: (hidden)\n    (hidden)\nb: c"),
    "a block with a comment": ("password: | # x\n  hunter2\nb: c", "password: (hidden)\n  (hidden)\nb: c"),
    "a block with an anchor": ("password: &x |\n  hunter2\nb: c", "password: (hidden)\n  (hidden)\nb: c"),
    "a tag": ("password: !!str\n  hunter2\nb: c", "password: (hidden)\n  (hidden)\nb: c"),
    "the next line": ("password:\n\n  hunter2\nb: c", "password:\n\n  (hidden)\nb: c"),
    "several lines": ("password: a\n\n  hunter2\nb: c", "password: (hidden)\n\n  (hidden)\nb: c"),
    "quotes of several lines": ('password: "a\nhunter2"\nb: c', "password: (hidden)\n(hidden)\nb: c"),
    "a list below": ("passwords:\n- hunter2\n- x\nb: c", "passwords:\n(hidden)\n(hidden)\nb: c"),
    "a list further in": ("passwords:\n  - hunter2\nb: c", "passwords:\n  (hidden)\nb: c"),
    "a list in a list": ("- passwords:\n  - hunter2\n- c", "- passwords:\n  (hidden)\n- c"),
    "a mapping below": ("secret:\n  a: {b: hunter2}\nb: c", "secret:\n  (hidden)\nb: c"),
    "its own name": ("secret:\n  hunter2: x\nb: c", "secret:\n  (hidden)\nb: c"),
    "an alias": ("a: &x hunter2\npassword: *x", "a: (hidden)\npassword: (hidden)"),
    "another document": ("a: b\n---\npassword: hunter2", "a: b\n---\npassword: (hidden)"),
    "line ends of another system": ("a: b\r\npassword: hunter2\r\n", "a: b\npassword: (hidden)"),
    "a comment": ("# password: hunter2", "# password: (hidden)"),
    "a setting": ("DB_PASSWORD=hunter2", "DB_PASSWORD=(hidden)"),
    "a setting of a list": ("- DB_PASSWORD=hunter2", "- DB_PASSWORD=(hidden)"),
    "an export": ("export API_TOKEN='hunter2'", "export API_TOKEN=(hidden)"),
    "an option": ("runcmd:\n- mysql --password=hunter2", "runcmd:\n- mysql --password=(hidden)"),
    "a query": ("- curl http://h/?token=hunter2", "- curl http://h/?token=(hidden)"),
    "a file within": ("- content: |\n    password=hunter2\n    a=b", "- content: |\n    password=(hidden)\n    a=b"),
    "no YAML": ("{{ if }}\n\tpassword: hunter2", "{{ if }}\n\tpassword: (hidden)"),
    "no YAML at its end": ("password: 'a\n hunter2'\n---\n{", "password: (hidden)\n (hidden)\n---\n{"),
    "a private key": (
        "a: |\n  -----BEGIN RSA PRIVATE KEY-----\n  hunter2\n  -----END RSA PRIVATE KEY-----\nb: c",
        "a: |\n  (hidden)\n  (hidden)\n  (hidden)\nb: c",
    ),
    "a private key of PGP": (
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nhunter2\n-----END PGP PRIVATE KEY BLOCK-----\nb",
        "(hidden)\n(hidden)\n(hidden)\nb",
    ),
    "a private key in one line": (
        'a: "-----BEGIN PRIVATE KEY-----\\nhunter2\\n-----END PRIVATE KEY-----"\nb: c',
        "(hidden)\nb: c",
    ),
    "a private key without end": ("-----BEGIN PRIVATE KEY-----\nhunter2", "(hidden)\n(hidden)"),
}


@pytest.mark.parametrize("text, shown", MASKED.values(), ids=MASKED)
def test_secrets_of_a_document_are_masked_and_the_rest_shown(text, shown):
    assert masking.mask_document(text) == shown
    assert SECRET not in shown


HARMLESS = [
    *("a: b\n\nc: d", "lock_passwd: false", "ssh_pwauth: yes", "password:", "passwd: True"),
    *(
        "users:\n- name: a\n  lock_passwd: true\n  shell: sh",
        "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
    ),
    *("the password is asked for", "", "- a\n- b", "x: passwords"),
]


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_document_is_shown(text):
    assert masking.mask_document(text) == text


def test_neighbours_of_a_secret_are_shown():
    text = "users:\n- name: a\n  passwd: hunter2\n  shell: sh\n- name: b\n  groups: [c]\nruncmd: [d]"
    assert masking.mask_document(text) == text.replace("hunter2", HIDDEN)


def test_change_is_a_diff_with_two_lines_of_context():
    old = "#cloud-config\na: 1\nb: 2\nc: 3\nd: 4\ne: 5\n"
    shown = masking.document_change(old, old.replace("3", "9"))
    assert shown == {"diff": "--- old\n+++ new\n@@ -2,5 +2,5 @@\n a: 1\n b: 2\n-c: 3\n+c: 9\n d: 4\n e: 5"}


def test_secret_is_masked_before_after_and_beside_a_change():
    old, new = "password: hunter2\na: 1\n", "password: hunter22\na: 2\n"
    words = masking.document_change(old, new)["diff"]
    assert words == "--- old\n+++ new\n@@ -1,2 +1,2 @@\n-password: (hidden)\n-a: 1\n+password: (hidden)\n+a: 2"
    words = masking.document_change(old, old.replace("1", "2"))["diff"]
    assert words.splitlines()[3:] == [" password: (hidden)", "-a: 1", "+a: 2"]


def test_line_secret_in_one_version_is_masked_in_both():
    words = masking.document_change("note: |\n  hunter2\n", "password: |\n  hunter2\n")["diff"]
    assert "hunter2" not in words
    words = masking.document_change("password: |\n  hunter2\n", "note: |\n  hunter2\n")["diff"]
    assert "hunter2" not in words


def test_difference_of_line_ends_is_named():
    assert masking.document_change("a: b\n", "a: b\r\n") == {"diff": "(line ends)"}


@pytest.mark.parametrize(
    "old, new, shown",
    [
        (None, "password: x", {"old": None, "new": "password: (hidden)"}),
        ("", "a: b", {"old": "", "new": "a: b"}),
        ("password: x", None, {"old": "password: (hidden)", "new": None}),
    ],
)
def test_added_or_removed_document_is_shown_completely(old, new, shown):
    assert masking.document_change(old, new) == shown


@pytest.mark.parametrize("key", ["cloud-init.user-data", "user.network-config"])
def test_changes_have_the_diff_and_the_request_the_text(key):
    kind = KINDS["profile"]
    old, new = "#cloud-config\npassword: hunter2\n", "#cloud-config\npassword: hunter3\n"
    found = diff.compare(kind, diff.normalize(kind, {"config": {key: new}}), {"config": {key: old}})
    assert list(found.changes["config"][key]) == ["diff"] and "hunter" not in repr(found.changes)
    assert found.touched == {"config": {key: new}}


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
@pytest.mark.parametrize(
    "text", ["[" * 3000, "- " * 3000, "".join(" " * n + "a:\n" for n in range(1500)), "\ud800", "&a [*a]"]
)
def test_invalid_yaml_is_shown_line_by_line(text, loader, monkeypatch):
    monkeypatch.setattr(masking, "_LOADER", loader)
    assert masking.mask_document("password: hunter2\n" + text) == "password: (hidden)\n" + text.rstrip("\n")


LARGE = {
    "many lines": ("".join(f"key{n}: {{password: hunter2, a: b}}\n" for n in range(5000)), 30),
    "one line": ("password" * 20000, 5),
    "a line of blanks": ("password" + " " * 200000, 5),
    "blanks": ("a: b\n" + " " * 200000 + "x", 5),
    "laughs": ("a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)), 5),
}


@pytest.mark.parametrize("text, seconds", LARGE.values(), ids=LARGE)
def test_a_large_document_takes_little_time(text, seconds):
    begun = time.monotonic()
    assert SECRET not in masking.document_change(text, text.replace("a: b", "a: c") + "password: hunter2\n")["diff"]
    assert time.monotonic() - begun < seconds


NAMES = st.sampled_from(["a", "name", "list", "é", "a b"])
SECRET_NAMES = st.sampled_from(
    ["password", "db_password", "Secret", "api-key", "my token", "private_key", "passphrase"]
)
TEXTS = st.sampled_from(["x", "a b", "1", "true", "", "a: b", "# c", "- d", "x\ny\n", " e ", "é" * 30])
SECRETS = st.sampled_from(
    ["{0}", "{0} {0}", "{0}\n{0}\n", " {0}\n\n  {0}", "# {0}", "- {0}: {0}", '"{0}', "é {0} " * 9, "{{{0}}}"]
)
HIDDEN_TREES = st.recursive(
    SECRETS.map(lambda text: text.format(SECRET)),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=3),
    max_leaves=4,
)
TREES = st.recursive(
    st.dictionaries(SECRET_NAMES, HIDDEN_TREES, min_size=1, max_size=2),
    lambda inner: st.lists(inner | TEXTS, max_size=3) | st.dictionaries(NAMES, inner | TEXTS, max_size=3),
    max_leaves=6,
)
STYLES = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([True, False, None]),
        "default_style": st.sampled_from([None, "'", '"', "|", ">"]),
        "width": st.sampled_from([10, 20, 80]),
        "indent": st.sampled_from([2, 4, 7]),
        "allow_unicode": st.booleans(),
    }
)


@given(TREES, TREES, STYLES)
def test_no_secret_line_survives_in_any_yaml_style(one, other, style):
    old, new = (yaml.safe_dump(tree, **style) for tree in (one, other))
    for shown in (
        masking.document_change(old, new),
        masking.document_change(None, new),
        masking.document_change(old, ""),
    ):
        assert SECRET not in repr(shown)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_shown(old, new):
    shown = masking.document_change(old, new)
    assert set(shown) in ({"diff"}, {"old", "new"})


@given(st.lists(st.sampled_from(["a: b", "- x", "  y", "", "password: z", "  - {"]), max_size=8))
def test_masking_keeps_the_number_of_lines(lines):
    text = "\n".join(lines)
    assert len(masking.mask_document(text).split("\n")) == max(len(text.splitlines()), 1)
