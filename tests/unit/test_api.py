"""
The contract of the earlier lxdapi: names, signatures, URLs, arguments of requests and results.
"""

import inspect

import pytest
import requests
from lxdapi import api as api_module
from lxdapi import shortcuts
from lxdapi.api import API, APIException, APINotFoundException, APIResult
from lxdapi.errors import APINotTrustedException, APIProtocolException, InvalidError, LxdapiError
from lxdapi.http.session import create_session

from tests.support.fake_transport import OPERATION, SOCKET, Paper, failure, page, raw, server, started, sync

VERBS = ("get", "head", "post", "put", "patch", "delete")


def parameters(function):
    """Return the names of a function's parameters, with their stars."""
    found = inspect.signature(function).parameters.values()
    return [p.name if p.kind == p.POSITIONAL_OR_KEYWORD else str(p.replace(annotation=p.empty)) for p in found]


@pytest.mark.parametrize(
    "function, names",
    [
        (API, ["session", "endpoint", "default_version", "debug"]),
        (API.factory, ["endpoint", "default_version"]),
        (API.request, ["self", "method", "url", "*args", "**kwargs"]),
        *[(getattr(API, verb), ["self", "url", "*args", "**kwargs"]) for verb in VERBS],
        (APIResult, ["api", "response"]),
        (APIResult.request_summary, ["self"]),
        (APIResult.response_summary, ["self"]),
        (APIResult.validate, ["self"]),
        (APIResult.validate_metadata, ["self", "data"]),
        (APIResult.wait, ["self", "timeout"]),
        (APIException, ["result"]),
        (shortcuts.container_get, ["api", "name"]),
        (shortcuts.container_absent, ["api", "container"]),
        (shortcuts.container_apply_config, ["api", "container", "config"]),
        (shortcuts.container_apply_status, ["api", "container", "status"]),
        (shortcuts.image_get, ["api", "fingerprint"]),
        (shortcuts.image_get_fingerprint, ["path"]),
        (shortcuts.image_present, ["api", "path", "fingerprint"]),
        (shortcuts.image_absent, ["api", "fingerprint"]),
        (shortcuts.image_alias_present, ["api", "name", "target", "description"]),
    ],
)
def test_positions_and_names_of_the_seed_stay(function, names):
    assert parameters(function)[: len(names)] == names


@pytest.mark.parametrize("function", [API, API.factory, shortcuts.image_present, shortcuts.image_get_fingerprint])
def test_added_parameters_have_defaults(function):
    added = {"project", "timeout", "wait_timeout", "base_url", "cert", "key", "verify", "rootfs", "public"}
    found = inspect.signature(function).parameters
    assert added & set(found)
    assert all(found[name].default is not inspect.Parameter.empty for name in added & set(found))


def test_not_found_is_an_api_exception_and_a_salt_exception():
    assert issubclass(APINotFoundException, APIException)
    assert {base.__name__ for base in APIException.__mro__} >= {"LxdapiError", "CommandExecutionError"}
    assert APIException is api_module.APIException


def test_a_result_holds_the_transaction():
    paper = Paper(sync({"name": "web"}, ETag="abc"))
    result = paper.api.get("profiles/web")
    assert result.api is paper.api
    assert isinstance(result.request, requests.PreparedRequest)
    assert isinstance(result.response, requests.Response)
    assert result.data["type"] == "sync" and result.data["status_code"] == 200
    assert result.metadata == {"name": "web"}
    assert result.etag == "abc"


def test_exception_has_method_url_and_words_of_the_daemon():
    paper = Paper(failure(404, "Profile not found"))
    with pytest.raises(APINotFoundException) as caught:
        paper.api.get("profiles/web", params={"project": "p"})
    exc = caught.value
    assert str(exc) == "GET /paper.socket/1.0/profiles/web?project=p Profile not found"
    assert (exc.error, exc.status, exc.method, exc.path) == ("Profile not found", 404, "GET", "/1.0/profiles/web")
    assert exc.result.response.status_code == 404
    assert exc.explain() == "Profile not found (GET /1.0/profiles/web of project p)"


def test_an_exception_without_words_of_the_daemon_shows_its_data():
    paper = Paper(failure(400, ""))
    with pytest.raises(APIException, match='"error_code": 400'):
        paper.api.get("profiles")


@pytest.mark.parametrize(
    "url, sent",
    [
        ("images", "/1.0/images"),
        ("", "/1.0"),
        ("/1.0/images", "/1.0/images"),
        ("/", "/"),
        (SOCKET + "/1.0/images", "/1.0/images"),
        ("profiles/a b", "/1.0/profiles/a%20b"),
        ("profiles/a%2Fb", "/1.0/profiles/a%2Fb"),
        ("profiles/é", "/1.0/profiles/%C3%A9"),
        ("profiles/50%", "/1.0/profiles/50%25"),
    ],
)
def test_url_is_relative_absolute_or_full(url, sent):
    paper = Paper(sync())
    paper.api.get(url)
    assert paper.seen[0].path == sent
    assert paper.seen[0].url.startswith(SOCKET + "/")


def test_a_default_version_is_the_version_of_relative_urls():
    paper = Paper(sync(), sync(), default_version="2.0")
    paper.api.get("images")
    paper.api.get("/1.0/images")
    assert [seen.path for seen in paper.seen] == ["/2.0/images", "/1.0/images"]


def test_a_relative_url_may_hold_an_url_in_its_query():
    paper = Paper(sync([]))
    paper.api.get("images?filter=source.server eq https://images.example.com")
    assert paper.seen[0].query == {"filter": "source.server eq https://images.example.com"}


@pytest.mark.parametrize(
    "url",
    [
        "http+unix://%2Fother.socket/1.0/images",
        "https://evil.example.com/1.0/images",
        "http+unix://%2Fpaper.socket.evil/1.0/images",
        "http+unix://%2Fpaper.socket@evil/1.0",
        "images#fragment",
        "images\\x",
        "images/\x00",
        "images/../profiles/default",
        "images/%2e%2e/profiles/default",
        "images/..",
        "images/a%2F..",
        "./images",
        None,
        5,
    ],
)
def test_url_of_another_server_is_refused_before_any_request(url):
    paper = Paper()
    with pytest.raises(InvalidError):
        paper.api.get(url)
    assert paper.seen == []


def test_query_and_parameters_are_joined():
    paper = Paper(sync([]))
    paper.api.get("instances?recursion=1&empty=", params={"project": "p", "none": None, "recursion": 2})
    assert paper.seen[0].query == {"recursion": "2", "empty": "", "project": "p"}


@pytest.mark.parametrize("given", [{"recursion": 1}, [("recursion", 1)], (("recursion", "1"),)])
def test_parameters_come_in_each_form_that_requests_knows(given):
    paper = Paper(sync([]))
    paper.api.get("instances", params=given)
    assert paper.seen[0].query == {"recursion": "1"}


@pytest.mark.parametrize("given", [5, "recursion", b"\xff", [1], [("a", "b", "c")]])
def test_invalid_parameters_are_refused(given):
    paper = Paper()
    with pytest.raises(InvalidError, match="params"):
        paper.api.get("instances", params=given)
    assert paper.seen == []


@pytest.mark.parametrize("options", [{"headers": {"X-A": "a\nb"}}, {"json": {"a": float("nan")}}])
def test_unsendable_request_is_an_lxdapi_error(options):
    paper = Paper()
    with pytest.raises(LxdapiError):
        paper.api.post("profiles", **options)
    assert paper.seen == []


def test_keyword_arguments_go_to_requests():
    paper = Paper(sync())
    paper.api.post("profiles", json={"name": "web"}, headers={"X-A": "b"}, timeout=7)
    seen = paper.seen[0]
    assert seen.json == {"name": "web"}
    assert (seen.headers["X-A"], seen.timeout) == ("b", 7)


def test_positional_arguments_go_to_requests_in_its_order():
    paper = Paper(sync())
    paper.api.post("profiles", {"project": "p"}, b"data", {"X-A": "b"}, None, None, None, 7)
    seen = paper.seen[0]
    assert (seen.query, seen.body, seen.headers["X-A"], seen.timeout) == ({"project": "p"}, b"data", "b", 7)


def test_no_positional_argument_is_lost():
    names = list(inspect.signature(requests.Session.request).parameters)[3:]
    values = dict.fromkeys(names) | {"json": {"name": "web"}, "allow_redirects": False, "timeout": 7}
    paper = Paper(sync())
    paper.api.post("profiles", *values.values())
    assert paper.seen[0].json == {"name": "web"}


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_sends_its_method(verb):
    paper = Paper(sync() if verb != "head" else raw(200))
    getattr(paper.api, verb)("profiles/web")
    assert paper.lines == [f"{verb.upper()} /1.0/profiles/web"]


def test_request_has_a_default_timeout():
    paper, other = Paper(sync()), Paper(sync(), timeout=3)
    paper.api.get("images")
    other.api.get("images")
    assert (paper.seen[0].timeout, other.seen[0].timeout) == (60, 3)


@pytest.mark.parametrize(
    "url, params, project",
    [
        ("instances", None, "p"),
        ("instances?project=q", None, "q"),
        ("instances", {"project": "q"}, "q"),
        ("instances", {"all-projects": "true"}, None),
        (OPERATION, None, "p"),
    ],
)
def test_project_is_added_to_each_request(url, params, project):
    paper = Paper(sync([]), project="p")
    paper.api.get(url, params=params)
    assert paper.seen[0].query.get("project") == project


def test_no_project_is_sent_by_default():
    paper = Paper(sync([]))
    paper.api.get("instances")
    assert paper.seen[0].query == {}


@pytest.mark.parametrize("project", ["a/b", "..", "a b", "a\n"])
def test_invalid_project_is_refused(project):
    with pytest.raises(InvalidError, match="project"):
        API(requests.Session(), SOCKET, project=project)


@pytest.mark.parametrize(
    "given", [{"endpoint": "https://h:8443"}, {"base_url": "https://h:8443"}, {"endpoint": "https://h"}]
)
def test_the_factory_takes_endpoint_or_base_url(given):
    api = API.factory(**given)
    assert (api.endpoint, api.default_version, api.debug) == ("https://h:8443", "1.0", False)


def test_factory_takes_version_second_and_passes_options_on():
    api = API.factory("/run/x.socket", "1.1", debug=True, project="p", timeout=5, wait_timeout=6)
    assert api.endpoint == "http+unix://%2Frun%2Fx.socket"
    assert (api.default_version, api.debug, api.project) == ("1.1", True, "p")
    assert (api.timeout, api.wait_timeout) == (5, 6)


def test_the_factory_without_arguments_finds_the_local_socket(monkeypatch):
    monkeypatch.setenv("INCUS_SOCKET", "/run/some.socket")
    assert API.factory().endpoint == "http+unix://%2Frun%2Fsome.socket"


@pytest.mark.parametrize("make", [API.factory, lambda url, **more: API(create_session(url), url, **more)])
def test_an_unknown_keyword_is_an_error_that_names_it(make):
    with pytest.raises(TypeError, match="tiemout"):
        make(SOCKET, tiemout=5)


def test_endpoint_with_trailing_slash_is_the_same():
    paper = Paper(sync())
    api = API(paper.api.session, SOCKET + "/")
    api.get("images")
    assert paper.seen[0].url == SOCKET + "/1.0/images"


def test_the_server_is_asked_once():
    paper = Paper(server("incus"))
    assert (paper.api.dialect, paper.api.has("etag"), paper.api.has("none")) == ("Incus", True, False)
    assert paper.lines == ["GET /1.0"]


def test_lxd_has_its_own_dialect():
    assert Paper(server("lxd")).api.dialect == "LXD"


def test_untrusting_server_is_an_error():
    paper = Paper(server(auth="untrusted"), server())
    with pytest.raises(APINotTrustedException, match="does not trust"):
        _ = paper.api.server
    assert paper.api.server["auth"] == "trusted", "a refusal is not remembered"


@pytest.mark.parametrize("reply", [sync(None), sync([]), sync("x"), page(200)])
def test_server_without_facts_is_an_error(reply):
    with pytest.raises((APINotTrustedException, APIProtocolException)):
        _ = Paper(reply).api.server


def test_wait_works_as_in_the_seed():
    paper = Paper(started(), sync({"class": "task", "status_code": 200, "status": "Success"}))
    assert paper.api.post("images", json={"a": 1}).wait().metadata["status"] == "Success"
