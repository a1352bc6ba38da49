"""
cloud-init documents: data is written as YAML that reads back the same, with a header that cloud-init knows.
"""

from collections import OrderedDict

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from lxdapi.errors import InvalidError
from lxdapi.instances import cloud_init
from lxdapi.model import equality

from tests.support.fake_transport import Paper, server

USER_DATA = OrderedDict(
    [
        ("package_update", True),
        ("packages", ["nginx", OrderedDict([("snap", ["lxd"])])]),
        ("users", [OrderedDict([("name", "shop"), ("plain_text_passwd", "canary")]), "default"]),
        ("write_files", [{"path": "/a", "permissions": "0644", "content": "#!/bin/sh\n\tif é; then\n  x\n\n"}]),
        ("nothing", None),
    ]
)
WRITTEN = """#cloud-config
package_update: true
packages:
- nginx
- snap:
  - lxd
users:
- name: shop
  plain_text_passwd: canary
- default
write_files:
- path: /a
  permissions: '0644'
  content: |+
    #!/bin/sh
    \tif é; then
      x

nothing: null
"""
LIKE_OTHERS = [
    *["0644", "0o644", "yes", "NO", "null", "~", "", "1e3", "1.5", "y", "N", "52:54:00:12:34:56", "12:30", "=", "<<"],
    *["2030-01-31", "2030-01-31T00:00:00Z", "# x", "a # b", "a: b", "- a", "{a}", "[a", "&a", "*a", "!a", "|", "%a"],
    *["@a", "`a", "'a", '"a', "a\\b", "true", "0x1F", "0b1", ".inf", ".nan", "---", "...", "1_000", " a ", "a\n", "\n"],
    *[
        "a\r\nb\n",
        "\ta\nb",
        " \n\ta",
        "a\tb\n",
        "a\t\n",
        "  a\nb",
        "\n  a",
        "a\n\n\n",
        "a \nb",
        "\x85",
        "\u2028a\nb",
        "\ufeff",
    ],
    *[
        "\x1b[0m",
        "\U0001f600",
        "é",
        "x " * 200,
        "--- a\n",
        "...\nb",
        "#cloud-config\na: 1\n",
        "\x7f",
        "\xa0",
        "a\x0bb\n",
    ],
]
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    st.text("ab \t\n:#-'\"é|>{}[],&*!%@0", max_size=12),
    st.sampled_from(LIKE_OTHERS),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), TEXTS)
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))
MAPPINGS = st.dictionaries(TEXTS, DATA, max_size=5)


def api_of(*extensions):
    """Return the API of a daemon with these extensions."""
    return Paper(lambda seen: server(api_extensions=list(extensions))).api


@pytest.fixture
def api():
    """The API of a daemon with the extensions that all daemons have since 2022."""
    return api_of("cloud_init")


@given(MAPPINGS)
@example({text: [text, {text: text}] for text in LIKE_OTHERS})
def test_rendered_yaml_loads_as_the_same_data(data):
    text = cloud_init.render("x", data)
    assert repr(yaml.safe_load(text)) == repr(data)  # with types and order
    assert cloud_init.render("x", yaml.safe_load(text)) == text


@given(MAPPINGS.filter(bool))
def test_order_of_keys_is_no_difference(data):
    other = dict(reversed(data.items()))
    texts = ["#cloud-config\n" + cloud_init.render("x", each) for each in (data, other)]
    assert equality.equal("cloud-init.user-data", *texts)


def test_mapping_is_rendered_readably(api):
    assert cloud_init.merge(api, None, {"user_data": USER_DATA}) == {"cloud-init.user-data": WRITTEN}
    as_a_list = [{key: value} for key, value in USER_DATA.items()]
    assert cloud_init.merge(api, None, [{"user_data": as_a_list}]) == {"cloud-init.user-data": WRITTEN}


def test_each_document_has_its_key_and_header(api):
    given_ = {
        "user_data": {},
        "vendor_data": {"a": 1},
        "network": {"version": 2, "ethernets": {"eth0": {"dhcp4": True}}},
    }
    assert cloud_init.merge(api, {"user.a": "1"}, given_) == {
        "user.a": "1",
        "cloud-init.user-data": "#cloud-config\n{}\n",
        "cloud-init.vendor-data": "#cloud-config\na: 1\n",
        "cloud-init.network-config": "version: 2\nethernets:\n  eth0:\n    dhcp4: true\n",
    }


def test_older_keys_are_used_on_older_daemons():
    found = cloud_init.merge(api_of(), None, {"user_data": {"a": 1}, "network": None})
    assert found == {"user.user-data": "#cloud-config\na: 1\n", "user.network-config": None}


def test_no_cloud_init_leaves_config_unchanged(api):
    for config in (None, {}, {"a": 1}, [{"a": 1}], 5):
        for nothing in (None, {}):
            assert cloud_init.merge(api, config, nothing) is config
    assert cloud_init.merge(api, [{"a": 1}, {"b": 2}], {"network": None})["b"] == 2


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_removes_a_document(api, nothing):
    assert cloud_init.merge(api, None, {"user_data": nothing}) == {"cloud-init.user-data": None}


@pytest.mark.parametrize(
    "text",
    [
        *["#cloud-config\na: 1\n", "#!/bin/sh\r\necho\r\n", "## template: jinja\n#cloud-config\na: {{ x }}\n"],
        *["#include\nhttp://192.0.2.1/a\n", "Content-Type: multipart/mixed; boundary=x\nMIME-Version: 1.0\n\n--x--\n"],
    ],
)
def test_text_with_header_is_unchanged(api, text):
    assert cloud_init.merge(api, None, {"user_data": text})["cloud-init.user-data"] == text


def test_network_text_needs_no_header(api):
    found = cloud_init.merge(api, None, {"network": "version: 1\nconfig: disabled\n"})
    assert found == {"cloud-init.network-config": "version: 1\nconfig: disabled\n"}


SELF = {}
SELF["a"] = [SELF]


@pytest.mark.parametrize(
    "declared, words",
    [
        ({"user_data": "packages: [nginx]"}, "user_data: expected text that begins with one of #cloud-config, #!, "),
        ({"vendor_data": "\n#cloud-config\n"}, "vendor_data: expected text that begins with"),
        ({"user-data": {}}, "unknown key user-data; choose from: user_data, vendor_data, network"),
        ({5: {}}, "unknown key 5"),
        ({"user_data": 5}, "expected a mapping for cloud_init user_data, got a number"),
        ({"user_data": ["nginx"]}, "expected a mapping for cloud_init user_data, got a list"),
        ({"user_data": False}, "expected a mapping for cloud_init user_data, got a boolean"),
        ("#cloud-config\n", "expected a mapping for cloud_init, got text"),
        (["x"], "expected a mapping for cloud_init, got a list"),
        (False, "expected a mapping for cloud_init, got a boolean"),
        ({"user_data": SELF}, "user_data: the data is nested too deeply, or contains itself"),
        (
            {"user_data": {"a": {"b": {5, 6}}}},
            "(or text) for cloud_init user_data a b, got a set",
        ),
        ({"user_data": {"a": b"x"}}, "that YAML can express (or text) for cloud_init user_data a, got binary data"),
        ({"user_data": {("a", "b"): 1}}, "that YAML can express (or text) for cloud_init user_data, got a list"),
        ({"user_data": {"a": ["x\0"]}}, "user_data a: invalid text"),
        ({"user_data": {"a": "\ud800"}}, "user_data a: invalid text: it contains a NUL or an unpaired surrogate"),
        ({"user_data": {"a": 10**400}}, "expected text (quote the value) for cloud_init user_data a, got a number"),
        ({"network": "a\0"}, "network: invalid text"),
    ],
)
def test_invalid_document_is_refused_before_any_request(declared, words):
    paper = Paper()
    with pytest.raises(InvalidError) as caught:
        cloud_init.merge(paper.api, None, declared)
    assert words in str(caught.value) and paper.seen == []


@pytest.mark.parametrize("key", ["cloud-init.user-data", "user.user-data"])
@pytest.mark.parametrize("value", ["#cloud-config\n", None])
def test_document_also_declared_in_config_is_refused(key, value):
    paper = Paper()
    for config in ({key: value}, [{"a": 1}, {key: value}]):
        with pytest.raises(InvalidError, match=f"{key} is also declared in config"):
            cloud_init.merge(paper.api, config, {"user_data": {}})
    assert paper.seen == []


def test_explicitly_empty_config_is_not_filled(api):
    with pytest.raises(InvalidError, match="config is declared empty"):
        cloud_init.merge(api, {}, {"user_data": {}})


def test_non_mapping_config_is_refused(api):
    for config in (5, "x", ["x"], True):
        with pytest.raises(InvalidError, match="expected a mapping for config"):
            cloud_init.merge(api, config, {"user_data": {}})
