"""
A client whose certificate is restricted to a project: it can use that project, and gets clear errors elsewhere.
"""

import base64
import re
import ssl

import pytest
from salt.exceptions import CommandExecutionError

from tests.support.client_certificates import in_files
from tests.support.loader import Loaded

# LXD 5.0.2 says "not authorized"; Incus 6.0.4 and 7.0.2 say one of the others, with a 500 or a 403.
NOT_ALLOWED = "not authorized|not have permission|[Cc]ertificate is restricted|Only the certificate can be changed"

ADDRESSES = ("ipv4.address", "ipv6.address")


@pytest.fixture
def restricted(tmp_path, https, daemon):
    """Salt's modules and states of a client that may only use the project p; its fingerprint as ``fingerprint``."""
    daemon.ask("POST", "/1.0/projects", {"name": "p", "config": {"features.images": "false"}})
    cert, key = tmp_path / "c.crt", tmp_path / "c.key"
    fingerprint = in_files(cert, key)
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(cert.read_text())).decode()
    limits = {"restricted": True, "projects": ["p"]}
    daemon.ask("POST", "/1.0/certificates", {"type": "client", "name": "x", "certificate": der, **limits})
    pin = daemon.ask("GET", "/1.0")["environment"]["certificate_fingerprint"]
    salt = Loaded(tmp_path, {"local": {"endpoint": https, "cert": str(cert), "key": str(key), "fingerprint": pin}})
    salt.fingerprint = fingerprint
    return salt


def test_a_restricted_client_uses_its_own_project(restricted, raw):
    present, absent = (restricted.states[f"lxdapi_profile.{each}"] for each in ("present", "absent"))
    assert present(name="web", description="x", project="p")["changes"] == {"created": "web"}
    assert raw("profiles/web?project=p")["description"] == "x"
    assert present(name="web", description="x", project="p")["changes"] == {}
    assert restricted.modules["lxdapi.list"]("profile", project="p") == ["default", "web"]
    assert absent(name="web", project="p")["changes"] == {"deleted": "web"}


@pytest.fixture
def theirs(daemon, image):
    """Objects in the default project, by their states."""
    daemon.import_image(image, alias="busybox")
    daemon.ask("POST", "/1.0/networks", {"name": "lxdapi6", "config": dict.fromkeys(ADDRESSES, "none")})
    daemon.ask("POST", "/1.0/network-acls", {"name": "web"})
    daemon.ask("POST", "/1.0/instances", {"name": "c1", "source": {"type": "none"}})
    daemon.ask("POST", "/1.0/storage-pools/default/volumes/custom", {"name": "data"})
    daemon.ask("POST", "/1.0/profiles", {"name": "web"})
    return {
        "lxdapi_image": "busybox",
        "lxdapi_image_alias": "busybox",
        "lxdapi_network": "lxdapi6",
        "lxdapi_network_acl": "web",
        "lxdapi_instance": "c1",
        "lxdapi_storage_volume": "default/data",
        "lxdapi_profile": "web",
        "lxdapi_warning": "any",
    }


def test_hidden_resource_is_never_reported_absent(restricted, theirs):
    for state, name in theirs.items():
        ret = restricted.states[f"{state}.absent"](name=name)
        assert (ret["result"], ret["changes"]) == (False, {}), ret
        assert re.search(NOT_ALLOWED, ret["comment"]), ret


def test_hidden_list_is_refused_and_not_empty(restricted, theirs):
    assert restricted.modules["lxdapi.list"]("project") == ["p"]
    for kind in (state.replace("lxdapi_", "") for state in theirs):
        with pytest.raises(CommandExecutionError, match=NOT_ALLOWED):
            restricted.modules["lxdapi.list"](kind)


def test_restricted_client_cannot_widen_itself(restricted, raw):
    path = f"certificates/{restricted.fingerprint}"
    for body in ({"restricted": False}, {"projects": ["p", "default"]}):
        with pytest.raises(CommandExecutionError, match=f"({NOT_ALLOWED})"):
            restricted.modules["lxdapi.patch"](path, json=body)
    with pytest.raises(CommandExecutionError, match=NOT_ALLOWED):
        restricted.modules["lxdapi_trust.token_create"]("wider")
    found = raw(path)
    assert (found["restricted"], found["projects"]) == (True, ["p"])


def test_restricted_client_cannot_update_its_own_certificate(restricted, raw):
    certificate = raw(f"certificates/{restricted.fingerprint}")["certificate"]
    ret = restricted.states["lxdapi_certificate.present"](name="x", certificate=certificate, restricted=False)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert re.search(NOT_ALLOWED, ret["comment"]), ret
    assert raw(f"certificates/{restricted.fingerprint}")["restricted"] is True
