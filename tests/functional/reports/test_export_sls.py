"""
A host that was configured by hand is exported as SLS, which changes nothing on it and creates the same objects on an
empty daemon.
"""

import pytest
from lxdapi.model.kinds import KINDS
from salt.exceptions import CommandExecutionError
from salt.utils.yaml import safe_dump, safe_load

from tests.support.hand_built_host import FROM_NOTHING, TEXTS, HandBuilt

# No host of the tests can have them: only a cluster has members, only OVN networks have peers and load balancers.
NOWHERE = {"cluster_group", "cluster_member", "network_load_balancer", "network_peer", "warning"}


@pytest.fixture
def host(daemon, image):
    """A host that was configured by hand."""
    return HandBuilt(daemon, image)


@pytest.fixture
def applied(salt, proxy):
    """Apply the text of an SLS file and return the results by state ID."""

    def apply(text):
        (salt.tree / "adopted.sls").write_text(text, encoding="utf-8")
        proxy.clear()
        answers = salt.modules["state.apply"]("adopted")
        assert isinstance(answers, dict), answers
        return {answer["__id__"]: answer for answer in answers.values()}

    return apply


@pytest.fixture
def silent(applied, proxy):
    """Check that an apply of the text changes nothing and only reads."""

    def prove(text):
        answers = applied(text)
        assert set(answers) == set(safe_load(text))
        assert {name: answer for name, answer in answers.items() if not unchanged(answer)} == {}
        assert proxy.writes() == []

    return prove


def unchanged(answer):
    """Return whether a state found everything as declared."""
    return (answer["result"], answer["changes"]) == (True, {})


def word_of(body):
    """Return the kind of a state in an SLS."""
    (function,) = body
    return function[len("lxdapi_") : -len(".present")]


def without_sources(text):
    """Return an SLS without the states that need a source to create anything."""
    return "#!yaml\n" + safe_dump(
        {name: body for name, body in safe_load(text).items() if word_of(body) in FROM_NOTHING}, sort_keys=False
    )


def parameters(body):
    """Return the declaration of a state in an SLS."""
    return {key: value for each in next(iter(body.values())) for key, value in each.items()}


def test_export_changes_nothing_on_its_own_host(host, salt, silent):
    text = salt.modules["lxdapi.export"]()
    silent(text)
    buckets = set() if host.has_buckets else {"storage_bucket", "storage_bucket_key"}
    lacking = {word for word, kind in KINDS.items() if kind.extension and not host.has(kind.extension)}
    assert {word_of(body) for body in safe_load(text).values()} == set(KINDS) - NOWHERE - lacking - buckets
    assert salt.modules["lxdapi.export"]() == text
    assert [secret for secret in host.secrets if secret in text] == []
    declared = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("# omitted"))
    for word in ("volatile.", "image.os", "password", "secret_key", "token", "stateful"):
        assert word not in declared
    assert set(parameters(safe_load(text)["web1"])["config"]) == {*TEXTS, "limits.memory"}


def test_export_recreates_the_host_on_an_empty_daemon(host, salt, applied, silent, daemon):
    text = without_sources(salt.modules["lxdapi.export"]())
    before = host.read()
    daemon.wipe()
    answers = applied(text)
    assert {name: answer["comment"] for name, answer in answers.items() if answer["result"] is not True} == {}
    assert host.read() == before
    silent(text)


def test_one_kind_or_one_object_is_exported(host, salt, silent):
    profiles = salt.modules["lxdapi.export"]("profile")
    assert {word_of(body) for body in safe_load(profiles).values()} == {"profile"}
    # "include" has another meaning in an SLS
    assert set(safe_load(profiles)) == {"default", "profile include", "team", "web"}
    silent(profiles)
    web = salt.modules["lxdapi.export"]("profile", "web")
    assert parameters(safe_load(web)["web"])["config"] == TEXTS
    silent(web)
    volume = salt.modules["lxdapi.export"]("volume_snapshot", "default/data/before")
    assert list(safe_load(volume)) == ["default/data/before"]
    silent(volume)
    assert safe_load(salt.modules["lxdapi.export"]("server")).keys() == {"server"}


def test_export_names_its_project_and_remote(daemon, salt, silent):
    daemon.ask("POST", "/1.0/projects", {"name": "team", "config": {"features.profiles": "true"}})
    daemon.ask("POST", "/1.0/profiles?project=team", {"name": "web"})
    text = salt.modules["lxdapi.export"](project="team", remote="local")
    silent(text)
    states = safe_load(text)
    assert set(states) == {"default in team", "web in team"}
    assert parameters(states["web in team"]) == {"name": "web", "remote": "local", "project": "team"}
    assert salt.modules["lxdapi.export"]("network", project="team") == "#!yaml\n{}\n"


REFUSED = [
    (["profil"], "unknown kind 'profil'; choose from: certificate, cluster_group,"),
    (["profile", "nope"], "profile nope does not exist"),
    (["profile", "a/b"], "profile a/b does not exist"),
    (["network", "lo"], "network lo does not exist"),
    (["storage_volume", "data"], "expected STORAGE_POOL/NAME for storage volume name, got 'data'"),
    (["warning"], "the kind warning has no state present"),
    (["cluster_member"], "the server is not clustered"),
    ([None, "web"], "a name requires a kind"),
]


def test_invalid_export_is_refused(salt, daemon):
    for arguments, words in REFUSED:
        with pytest.raises(CommandExecutionError, match=words):
            salt.modules["lxdapi.export"](*arguments)
