"""
Salt inside instances of a remote daemon over HTTPS, which no disk device of this machine reaches.
"""

import base64
import ssl

import pytest

from tests.functional.salt_inside.conftest import end_process
from tests.support.client_certificates import in_files
from tests.support.loader import Loaded


@pytest.fixture
def far(salt_folder, pillar, https, daemon, tmp_path):
    """Salt's modules and states; their daemon is reached over HTTPS, with a pin and a client certificate."""
    cert, key = tmp_path / "client.crt", tmp_path / "client.key"
    fingerprint = in_files(cert, key)
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(cert.read_text())).decode()
    daemon.ask("POST", "/1.0/certificates", {"type": "client", "name": "test", "certificate": der})
    pin = daemon.ask("GET", "/1.0")["environment"]["certificate_fingerprint"]
    remote = {"endpoint": https, "fingerprint": pin, "cert": str(cert), "key": str(key)}
    loaded = Loaded(salt_folder, {"local": remote})
    yield loaded
    end_process(loaded)
    daemon.ask("DELETE", f"/1.0/certificates/{fingerprint}")


@pytest.mark.long
def test_instance_of_remote_daemon_gets_states(far, c1, daemon, inside):
    (far.tree / "hello.sls").write_text("/etc/hello:\n  file.managed:\n    - contents: {{ grains['id'] }}\n")
    (predicted,) = far.modules["lxdapi_salt.apply"](c1, "hello", test=True).values()
    assert (predicted["result"], inside(c1, "ls /etc/hello; true")) == (None, "")
    (applied,) = far.modules["lxdapi_salt.apply"](c1, "hello").values()
    assert applied["result"] is True and inside(c1, "cat /etc/hello") == "c1\n"
    (again,) = far.modules["lxdapi_salt.apply"](c1, "hello").values()
    assert (again["result"], again["changes"]) == (True, {})
    assert daemon.ask("GET", "/1.0/instances/c1")["devices"] == {}
    assert inside(c1, "ls -d /var/cache/lxdapi/python-*").startswith("/var/cache/lxdapi/python-")
