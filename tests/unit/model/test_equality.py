"""
The meaning of values: cloud-init documents, addresses that the daemon chose, secrets that it does not show.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lxdapi.errors import InvalidError
from lxdapi.model import equality

USER_DATA, HEAD = "cloud-init.user-data", "#cloud-config\n"
DOCUMENT_KEYS = [
    *("cloud-init.user-data", "cloud-init.vendor-data", "cloud-init.network-config"),
    *("user.user-data", "user.vendor-data", "user.network-config", "user.meta-data"),
]

SAME = {
    "the order of keys": ("a: 1\nb: 2\n", "b: 2\na: 1\n"),
    "white space": ("a:\n  - x\n", "a:\n\n-   x   \n"),
    "braces": ("a: {b: [c, d]}\n", "a:\n  b:\n  - c\n  - d\n"),
    "quotes": ("a: 'b'\n", 'a: "b"\n'),
    "a comment": ("a: b # c\n", "a: b\n"),
    "truth": ("a: yes\nb: off\n", "a: true\nb: False\n"),
    "nothing": ("a: null\n", "a: ~\n"),
    "line ends": ("a: b\nc: d\n", "a: b\r\nc: d\r\n"),
    "the last line end": ("a: b\n", "a: b"),
    "an anchor that nobody uses": ("a: &x b\n", "a: b\n"),
    "a list as a key": ("? [a]\n: b\n", "? - a\n: b\n"),
    "a mapping as a key": ("? {a: b}\n: c\n", "{{a: b}: c}\n"),
    "a date that is none": ("a: 2030-99-99\n", "a:  2030-99-99\n"),
    "a list": ("- a\n- b\n", "[a, b]\n"),
    "tags of anybody": ("a: !!python/object:os.system x\n", "a:  !!python/object:os.system x\n"),
    "no number, no truth, no time": (
        "a: [!!int x, !!bool y, !!timestamp z]\n",
        "a: [!!int x, !!bool y,  !!timestamp z]",
    ),
}
DIFFERENT = {
    "a value": ("a: 1\n", "a: 2\n"),
    "a key": ("a: 1\n", "a: 1\nb: 2\n"),
    "the order of a list": ("a: [1, 2]\n", "a: [2, 1]\n"),
    "text and number": ("a: 1\n", "a: '1'\n"),
    "truth and number": ("a: [1]\n", "a: [true]\n"),
    "untruth and number": ("a: 0\n", "a: false\n"),
    "truth and untruth": ("a: yes\n", "a: no\n"),
    "nothing and text": ("a:\n", "a: ''\n"),
    "nothing and untruth": ("a:\n", "a: no\n"),
    "list and mapping": ("a: []\n", "a: {}\n"),
    "which of two is the last": ("a: 1\na: 2\n", "a: 2\na: 1\n"),
    "a text": ("just text\n", "just  text\n"),
    "aliases, which are not looked into": ("a: &x [b]\nc: *x\n", "a:  &x [b]\nc: *x\n"),
    "an anchor within itself": ("&a [*a]\n", "&a  [*a]\n"),
    "several documents": ("a: b\n---\nc: d\n", "a: b\n---\nc:  d\n"),
    "no YAML, by a tab": ("a:\n\tb: c\n", "a:\n\tb:  c\n"),
    "no YAML, by a brace": ("{a: b\n", "{a:  b\n"),
    "no YAML, by a control character": ("a: \x01\n", "a:  \x01\n"),
    "a half of a character": ("a: \ud800\n", "a:  \ud800\n"),
    "nothing at all": ("\n", "\n\n"),
    "something and nothing": ("a: b\n", ""),
    "a text and a mapping": ("a b\n", "a: b\n"),
}


@pytest.mark.parametrize("key", DOCUMENT_KEYS)
@pytest.mark.parametrize("one, other", SAME.values(), ids=SAME)
def test_two_spellings_of_one_document_are_equal(key, one, other):
    assert equality.is_cloud_init(key)
    assert equality.equal(key, HEAD + one, HEAD + other) and equality.equal(key, HEAD + other, HEAD + one)


@pytest.mark.parametrize("one, other", DIFFERENT.values(), ids=DIFFERENT)
def test_two_documents_are_not_equal(one, other):
    assert not equality.equal(USER_DATA, HEAD + one, HEAD + other)
    assert not equality.equal(USER_DATA, HEAD + other, HEAD + one)
    assert equality.equal(USER_DATA, HEAD + one, HEAD + one), "the same text always is"


@pytest.mark.parametrize(
    "key", ["user.x", "user.user-data2", "xuser.user-data", "raw.lxc", "cloud-init.ssh-keys.user-data"]
)
def test_other_keys_hold_no_documents(key):
    assert not equality.is_cloud_init(key)
    assert not equality.equal(key, "a: {b: c}\n", "a:\n  b: c\n")


HEADS = [
    ("#cloud-config\n", "#cloud-config-archive\n", False),
    ("#cloud-config\n", "", False),
    ("#cloud-config\n", "#cloud-config  \n", True),
    ("#cloud-config\n# a\n", "#cloud-config\n# b\n", False),
    ("#!/bin/sh\n", "#!/bin/sh\n", False),
    ("## template: jinja\n#cloud-config\n", "## template: jinja\n#cloud-config\n", False),
    ("##template:jinja\n", "##template:jinja\n", False),
]


@pytest.mark.parametrize("one, other, equal", HEADS)
def test_header_decides_whether_it_is_yaml(one, other, equal):
    assert equality.equal(USER_DATA, one + "a: {b: c}\n", other + "a:\n  b: c\n") is equal


def test_comments_count_in_a_template():
    jinja = "## template: jinja\n#cloud-config\npackages:\n# {{% if ds.{} %}}\n- a\n# {{% endif %}}\n"
    assert not equality.equal(USER_DATA, jinja.format("one"), jinja.format("two"))


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
@pytest.mark.parametrize(
    "text", ["[" * 3000, "{a: " * 3000, "- " * 3000, "".join(" " * n + "a:\n" for n in range(1500))]
)
def test_too_deep_document_is_compared_as_text(text, loader, monkeypatch):
    monkeypatch.setattr(equality, "_LOADER", loader)
    begun = time.process_time()
    assert not equality.equal(USER_DATA, HEAD + text, HEAD + text + "\n#")
    assert time.process_time() - begun < 10


def test_very_deep_text_does_not_crash():
    code = "from lxdapi.model import equality as m; print(m.equal('user.user-data', '[' * 10**6, '[' * 10**6 + ' '))"
    library = str(Path(equality.__file__).parents[2])
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {library!r}); {code}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr[-500:]


def test_billion_laughs_takes_no_time():
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    begun = time.process_time()
    assert not equality.equal(USER_DATA, laughs, laughs + "b: c\n")
    assert time.process_time() - begun < 2


def test_a_large_document_takes_little_time():
    large = "".join(f"key{n}: [value, {{a: b}}]\n" for n in range(5000))
    begun = time.process_time()
    assert equality.equal(USER_DATA, large, large + "\n")
    assert time.process_time() - begun < 20


@pytest.mark.parametrize("text", ["9" * 5000, "9" * 5000 + "GiB", "9" * 41])
def test_huge_number_is_text(text):
    assert not equality.equal("limits.memory", text, "1")
    assert equality.equal("limits.memory", text, text)


def test_digits_of_another_script_are_text():
    assert not equality.equal("limits.cpu", "٣", "3")


MET = [
    ("core.trust_password", True, "secret", True),
    ("core.trust_password", True, None, False),
    ("core.trust_password", None, "secret", False),
    ("ipv4.address", "192.0.2.1/24", "auto", True),
    ("ipv6.address", "2001:db8::1/64", "auto", True),
    ("fan.underlay_subnet", "10.0.0.0/16", "auto", True),
    ("bridge.ipv4.address", "192.0.2.1", "auto", True),
    ("ipv4.address", "none", "auto", False),
    ("ipv4.address", "", "auto", False),
    ("ipv4.address", None, "auto", False),
    ("ipv4.address", "auto", "auto", True),
    ("ipv4.address", "192.0.2.1/24", "none", False),
    ("ipv4.address", "192.0.2.1/24", "192.0.2.1/24", True),
    ("ipv4.dhcp", "true", "auto", False),
    ("ipv4.address.x", "192.0.2.1/24", "auto", False),
]


@pytest.mark.parametrize("key, there, declared, met", MET)
def test_actual_value_may_satisfy_more_than_declared(key, there, declared, met):
    assert equality.satisfies(key, there, declared) is met


ADDRESSES = [
    ("ipv6.address", "2001:DB8:0::1/64", "2001:db8::1/64", True),
    ("dns.nameservers", "192.0.2.1, 192.0.2.2", "192.0.2.1,192.0.2.2", True),
    ("dns.nameservers", "192.0.2.2,192.0.2.1", "192.0.2.1,192.0.2.2", False),
    ("ipv4.address", "192.0.2.1/24", "192.0.2.2/24", False),
    ("ipv4.address", "192.0.2.1/24", "192.0.2.1/25", False),
    ("ipv4.address", "192.0.2.1/24", "192.0.2.1/255.255.255.0", True),
    ("user.address", "2001:DB8::1", "2001:db8::1", False),
]


@pytest.mark.parametrize("key, one, other, equal", ADDRESSES)
def test_addresses_are_compared_by_meaning(key, one, other, equal):
    assert equality.equal(key, one, other) is equal is equality.equal(key, other, one)


@pytest.mark.parametrize(
    "text, parts",
    [
        ("", []),
        (None, []),
        (" , ,", []),
        ("80", ["80"]),
        ("443, 80 ", ["443", "80"]),
        ("192.0.2.9/24,2001:DB8::1", ["192.0.2.0/24", "2001:db8::1/128"]),
        ("192.0.2.1-192.0.2.9,@internal,#acl", ["192.0.2.1-192.0.2.9", "@internal", "#acl"]),
    ],
)
def test_comma_separated_lists_are_normalized(text, parts):
    assert equality.split_ordered(text) == parts
    assert equality.split_set(text) == frozenset(parts)


@pytest.mark.parametrize("texts", [["a"], ["192.0.2.1-"], ["192.0.2.1/33"], [""], ["192.0.2.1", "x"], ["1-2-3"]])
def test_invalid_address_error_names_its_field(texts):
    with pytest.raises(InvalidError, match="^addresses: "):
        equality.addresses("addresses", texts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2030-13-01",
        "2030",
        None,
        5,
        True,
        [],
        {},
        b"2030-01-01",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:00",
    ],
)
def test_invalid_time_parses_to_none(text):
    assert equality.parse_time(text) is None


KEYS = st.sampled_from(["limits.memory", "user.x", "ipv4.address", "security.acls", *DOCUMENT_KEYS[:2]]) | st.text(
    max_size=9
)
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["true", "1GiB", "192.0.2.1", "::1", "a: b", "{}", "[]", "on", "١", "1bit", "- a"]
)


@given(KEYS, TEXTS, TEXTS)
def test_equality_is_symmetric_and_reflexive(key, one, other):
    assert equality.equal(key, one, one)
    assert equality.equal(key, one, other) is equality.equal(key, other, one)


WORDS = st.text(st.sampled_from("abé#:-{}[], '\"!&*1.~|"), max_size=8)
PLAIN = st.none() | st.booleans() | st.integers() | WORDS | st.floats(allow_nan=False) | st.dates()
TREES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc: #-", max_size=5), inner, max_size=3),
)
DOCUMENTS = st.dictionaries(st.text("abc: #-", max_size=5), TREES, max_size=4) | st.lists(TREES, max_size=4)


class Plain(yaml.SafeDumper):
    """A YAML dumper without anchors, whose aliases would not be compared."""

    def ignore_aliases(self, data):
        """Return True, to write everything out."""
        return True


@given(DOCUMENTS, st.booleans(), st.booleans())
def test_document_equals_itself_in_any_style(tree, flow, sort):
    one = yaml.dump(tree, Dumper=Plain)
    other = yaml.dump(tree, Dumper=Plain, default_flow_style=flow, sort_keys=sort, width=20, indent=4)
    assert equality.equal(USER_DATA, HEAD + one, HEAD + other)


@given(DOCUMENTS, DOCUMENTS)
def test_documents_are_equal_only_with_equal_content(one, other):
    texts = [yaml.dump(tree, Dumper=Plain) for tree in (one, other)]
    assert equality.equal(USER_DATA, *texts) is (repr(_sorted(one)) == repr(_sorted(other)))


def _sorted(tree):
    if isinstance(tree, dict):
        return {key: _sorted(tree[key]) for key in sorted(tree)}
    return [_sorted(each) for each in tree] if isinstance(tree, list) else tree


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_can_be_compared(one, other):
    assert equality.equal(USER_DATA, one, other) in (True, False)
