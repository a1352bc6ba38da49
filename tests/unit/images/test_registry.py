"""
The manifests of an OCI registry: names, platforms, tokens, and hostile content.
"""

import pytest
from lxdapi.errors import APIException, InvalidError, LxdapiError
from lxdapi.http import transport
from lxdapi.images import registry

from tests.support.oci_registry import OciRegistry, fingerprint

REPOSITORY = "lib/busybox"
DIGEST = "sha256:" + "0" * 64
MANIFEST = f"v2/{REPOSITORY}/manifests/1"


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    """A registry with one image; ``digest`` is its fingerprint."""
    made = OciRegistry(tmp_path_factory.mktemp("registry"))
    made.digest = made.add(REPOSITORY, "1")
    yield made
    made.close()


@pytest.fixture
def served(serving):
    """The registry with valid content, and without a token."""
    serving.add(REPOSITORY, "1")
    serving.require_token(False)
    return serving


def find(served, alias=f"{REPOSITORY}:1", architecture="x86_64"):
    return registry.find(served.url, alias, architecture, str(served.certificate))


@pytest.mark.parametrize(
    "alias, expected",
    [
        ("busybox", ("busybox", "latest")),
        ("library/busybox:1.36", ("library/busybox", "1.36")),
        ("a/b-c__d/e.f:V_1", ("a/b-c__d/e.f", "V_1")),
        (f"busybox@{DIGEST}", ("busybox", DIGEST)),
        (f"busybox:1@{DIGEST}", ("busybox", DIGEST)),
    ],
)
def test_name_of_an_image_has_a_tag_or_a_digest(alias, expected):
    assert registry.parse_alias(alias) == expected


@pytest.mark.parametrize(
    "alias", [None, 5, "", ":1", "Busybox", "a b", "a/../b", "a:", "a@sha256:0", "a/", "a?x", "a\n"]
)
def test_invalid_name_of_an_image_is_refused(alias):
    with pytest.raises(InvalidError, match="invalid name of an OCI image.*expected REPOSITORY"):
        registry.parse_alias(alias)


@pytest.mark.parametrize("requires_token", [False, True])
def test_fingerprint_is_that_of_the_layers(served, requires_token):
    served.require_token(requires_token)
    found = find(served)
    assert found.fingerprint == served.digest
    assert found.alias.startswith(f"{REPOSITORY}@sha256:") and find(served, found.alias) == found


@pytest.mark.parametrize(
    "architecture, chosen", [("x86_64", "a"), ("aarch64", "b"), ("armv7l", "d"), ("s390x", "e"), ("riscv64", None)]
)
def test_index_names_the_image_of_each_platform(served, architecture, chosen):
    made = {each: served.manifest(REPOSITORY, serial=each) for each in "abcdefg"}
    platforms = [("linux", "amd64", "v2", "f"), ("linux", "amd64", None, "a"), ("linux", "arm64", "v8", "b")]
    platforms += [("linux", "arm", "v6", "c"), ("linux", "arm", "v7", "d"), ("linux", "s390x", None, "e")]
    platforms += [("windows", "amd64", None, "g"), ("unknown", "unknown", None, "g")]
    content = [({"os": os, "architecture": arch, "variant": v}, made[each][0]) for os, arch, v, each in platforms]
    served.add_index(REPOSITORY, "many", content)
    if chosen:
        found = find(served, f"{REPOSITORY}:many", architecture)
        assert found.fingerprint == fingerprint(made[chosen][1])
        assert find(served, found.alias, architecture) == found
    else:
        with pytest.raises(InvalidError, match=f"does not offer image {REPOSITORY}:many for riscv64"):
            find(served, f"{REPOSITORY}:many", architecture)


def test_missing_image_is_reported(served):
    with pytest.raises(InvalidError, match=f"{served.url} does not offer image {REPOSITORY}:9; expected REPOSITORY"):
        find(served, f"{REPOSITORY}:9")
    with pytest.raises(LxdapiError, match="TLS"):
        registry.find(served.url, f"{REPOSITORY}:1", "x86_64")


@pytest.mark.parametrize("content", [b"", b"{", b"5", b"[]", b"\xff", b"[" * 200000, {"layers": [{"digest": "x"}]}])
def test_invalid_manifest_is_reported(served, content):
    served.write(MANIFEST, content)
    with pytest.raises(APIException, match="expected (a JSON object|the digest of a layer)"):
        find(served)


def replies(monkeypatch, *answers):
    """Answer requests with these replies: (status, body, headers); return the list of what was requested."""
    asked, waiting = [], list(answers)

    def fetch(session, url, seconds, longest, headers=None):
        asked.append((url, (headers or {}).get("Authorization")))
        return transport.Reply(*waiting.pop(0))

    monkeypatch.setattr(transport, "fetch", fetch)
    return asked


CHALLENGE = {"WWW-Authenticate": 'Bearer realm="https://auth.test/token",service="registry.test"'}
EMPTY = (200, b'{"layers": []}', {})


def test_images_of_docker_are_on_its_registry(monkeypatch):
    asked = replies(monkeypatch, (401, b"", CHALLENGE), (200, b'{"access_token": "t"}', {}), EMPTY)
    registry.find("https://docker.io", "busybox", "x86_64")
    url = "https://registry-1.docker.io/v2/library/busybox/manifests/latest"
    scope = "scope=repository%3Alibrary%2Fbusybox%3Apull"
    assert asked == [(url, None), (f"https://auth.test/token?{scope}&service=registry.test", None), (url, "Bearer t")]


def test_path_of_a_registry_belongs_to_the_repository(monkeypatch):
    asked = replies(monkeypatch, EMPTY)
    registry.find("https://ghcr.test/company/", "web:2", "x86_64")
    assert asked == [("https://ghcr.test/v2/company/web/manifests/2", None)]


@pytest.mark.parametrize(
    "answers, words",
    [
        ([(401, b"", {})], "does not offer image x without an account .HTTP 401., and lxdapi uses no account"),
        ([(401, b"", {"WWW-Authenticate": 'Basic realm="x"'})], "without an account .HTTP 401"),
        ([(401, b"", {"WWW-Authenticate": 'Bearer realm="http://plain.test"'})], "without an account .HTTP 401"),
        ([(401, b"", CHALLENGE), (200, b'{"token": "a b"}', {})], "expected a token"),
        ([(401, b"", CHALLENGE), (500, b"", {})], "HTTP 500"),
        ([(401, b"", CHALLENGE), (200, b'{"token": "t"}', {}), (401, b"", {})], "without an account .HTTP 401"),
        ([(403, b"", {})], "without an account .HTTP 403"),
        ([(307, b"", {"Location": "https://other.test"})], "HTTP 307"),
        ([(503, b"", {})], "HTTP 503"),
    ],
)
def test_refusal_of_a_registry_is_reported(monkeypatch, answers, words):
    replies(monkeypatch, *answers)
    with pytest.raises(LxdapiError, match=words):
        registry.find("https://registry.test", "x", "x86_64")
