"""
Facts about the server itself: its config, projects, certificates and warnings.
"""

import base64
import http.client
import json
import ssl
import tempfile
from contextlib import closing
from pathlib import Path

from tests.support.client_certificates import in_files, made
from tests.support.fact_probe import free_address
from tests.support.rest import Rest, UnixConnection

NOWHERE = "192.0.2.1:1"  # an address that this machine does not have, so that no server can listen on it
OWN = {"images.auto_update_interval": "0"}
TIMEOUT = {"core.shutdown_timeout": "7"}


def config_of(asked):
    return asked.read("")["config"]


def silent_connection(asked):
    with closing(UnixConnection(asked.daemon.socket, timeout=5)) as silent:
        silent.connect()
        try:
            return Rest(asked.daemon.socket, timeout=1).request("GET", "/1.0")[0]
        except TimeoutError:
            return "held up"


def refused_patch(asked, **repeated):
    address = free_address()
    asked.do("PATCH", "", {"config": {"core.https_address": address}})
    again = {"core.https_address": address} if repeated else {}
    status = asked.status("PATCH", "", {"config": {"bogus.key": "1", **again}})
    return status, config_of(asked).get("core.https_address") == address


def server_refused_patch(asked):
    return refused_patch(asked)


def server_refused_patch_that_repeats(asked):
    return refused_patch(asked, repeated=True)


def stored(asked, key):
    body = {"database": "global", "query": "SELECT key, value FROM config"}
    return dict(asked.daemon.ask("POST", "/internal/sql", body)["Results"][0]["rows"])[key]


def server_failed_patch(asked):
    asked.do("PATCH", "", {"config": {**TIMEOUT, "images.remote_cache_expiry": "7"}})
    status = asked.status("PATCH", "", {"config": {"core.https_address": NOWHERE, **OWN, **TIMEOUT}})
    found = config_of(asked)
    assert found["images.remote_cache_expiry"] == "7", "as it seems until the next start"
    kept = [stored(asked, key) for key in ("core.shutdown_timeout", "images.remote_cache_expiry")]
    return status, found.get("core.https_address"), kept


def server_default(asked):
    asked.do("PATCH", "", {"config": {"core.shutdown_timeout": "5"}})
    return config_of(asked).get("core.shutdown_timeout")


def server_default_again(asked):
    for value in ("false", ""):
        asked.do("PATCH", "", {"config": {"core.metrics_authentication": value}})
    return config_of(asked).get("core.metrics_authentication")


def server_put(asked):
    asked.do("PATCH", "", {"config": {"user.a": "1", **TIMEOUT}})
    asked.do("PUT", "", {"config": OWN})
    found = config_of(asked)
    return found.get("user.a"), found.get("core.shutdown_timeout")


def server_patch_empty(asked):
    asked.do("PATCH", "", {"config": {"user.a": "1", **TIMEOUT}})
    asked.do("PATCH", "", {"config": {"user.a": "", "core.shutdown_timeout": ""}})
    return sorted(config_of(asked))


def trust_password(asked):
    if asked.status("PATCH", "", {"config": {"core.trust_password": "secret"}}) == 400:
        return 400
    before = stored(asked, "core.trust_password")
    asked.do("PATCH", "", {"config": {"core.trust_password": True}})
    return config_of(asked)["core.trust_password"], stored(asked, "core.trust_password") == before


def project(asked, **fields):
    asked.do("POST", "projects", {"name": "p", **fields})
    return asked.read("projects/p")


def project_exists(asked):
    return asked.status("POST", "projects", {"name": "default"})


def project_features(asked):
    return sorted(key.partition("features.")[2] for key in project(asked)["config"])


def project_with_networks(asked):
    return asked.status("POST", "projects", {"name": "p", "config": {"features.networks": "true"}})


def patch_project(asked):
    project(asked, description="mine", config={"user.a": "1"})
    found = asked.patched("projects/p")
    return found["description"], found["config"]


def patch_project_in_use(asked):
    project(asked)
    asked.do("POST", "profiles?project=p", {"name": "own"})
    return asked.status("PATCH", "projects/p", {"config": {"user.a": "1"}})


def project_by_force(asked):
    project(asked)
    asked.do("POST", "profiles?project=p", {"name": "own"})
    return asked.status("DELETE", "projects/p"), asked.status("DELETE", "projects/p?force=1")


def trusted(asked, **fields):
    pem, fingerprint = made()
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode()
    asked.do("POST", "certificates", {"type": "client", "name": "mine", "certificate": der, **fields})
    return f"certificates/{fingerprint}"


def certificate_as_pem(asked):
    return asked.status("POST", "certificates", {"type": "client", "name": "mine", "certificate": made()[0]})


def certificate_described(asked):
    return asked.read(trusted(asked, description="one")).get("description")


def certificate_without_type(asked):
    return asked.status("PUT", trusted(asked), {"name": "other"})


def certificate_fields_left_out(asked):
    project(asked)
    path = trusted(asked, restricted=True, projects=["p"])
    asked.do("PUT", path, {"name": "other", "type": "client"})
    found = asked.read(path)
    return found["name"], found["restricted"], found["projects"]


def certificate_rename(asked):
    return asked.status("POST", trusted(asked), {"name": "other"})


def certificate_by_a_wildcard(asked):
    path = trusted(asked)
    return [asked.status("GET", each) for each in (path[:-52], "certificates/%25")]


class Client:
    """A client over HTTPS with a certificate in files."""

    def __init__(self, asked, folder):
        self._address = free_address()
        self._files = Path(folder) / "c.crt", Path(folder) / "c.key"
        self.fingerprint = in_files(*self._files)
        self.der = base64.b64encode(ssl.PEM_cert_to_DER_cert(self._files[0].read_text())).decode()
        asked.do("PATCH", "", {"config": {"core.https_address": self._address}})

    def get(self, path):
        """Return (HTTP status, metadata) of a GET."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(*self._files)
        connection = http.client.HTTPSConnection(self._address, context=context, timeout=20)
        try:
            connection.request("GET", f"/1.0/{path}".rstrip("/"))
            response = connection.getresponse()
            return response.status, json.loads(response.read())["metadata"]
        finally:
            connection.close()


def extensions_for_strangers(asked):
    with tempfile.TemporaryDirectory() as folder:
        return type(Client(asked, folder).get("")[1]["api_extensions"])


def what_a_restricted_client_sees(asked):
    project(asked)
    asked.bridge()
    with tempfile.TemporaryDirectory() as folder:
        client = Client(asked, folder)
        body = {"type": "client", "name": "x", "certificate": client.der, "restricted": True, "projects": ["p"]}
        asked.do("POST", "certificates", body)
        return [client.get(path)[0] for path in ("networks/lxdapi6", "instances", "projects/default")]


def warnings_of_a_project(asked):
    return asked.read("warnings?project=default")


def cluster_of_one(asked):
    return [asked.status("GET", f"cluster/{path}") for path in ("members", "groups")]


# question: the answers of LXD 5.0.2, Incus 6.0.4 and Incus 7.0.2
DIFFERS = {
    silent_connection: ("held up", "held up", 200),
    server_refused_patch: ((400, True), (400, False), (400, True)),
    server_failed_patch: ((500, NOWHERE, ["7", "7"]), (500, None, ["7", "10"]), (500, None, ["7", "7"])),
    server_default: (None, None, "5"),
    server_default_again: ("false", None, None),
    trust_password: ((True, True), 400, 400),
    project_exists: (409, 500, 409),
    project_features: (
        ["images", "profiles", "storage.volumes"],
        *(["images", "profiles", "storage.buckets", "storage.volumes"],) * 2,
    ),
    project_with_networks: (201, 201, 400),
    project_by_force: ((500, 500), (500, 200), (500, 200)),
    certificate_as_pem: (400, 400, 201),
    certificate_described: (None, "one", "one"),
    certificate_without_type: (403, 400, 400),
    extensions_for_strangers: (list, list, type(None)),
    what_a_restricted_client_sees: ([403, 403, 403], [200, 500, 403], [404, 200, 403]),
}
# question: the answer of all daemons
ALIKE = {
    server_refused_patch_that_repeats: (400, True),
    server_put: ("1", None),
    server_patch_empty: sorted(OWN),
    patch_project: ("mine", {"user.b": "2"}),
    patch_project_in_use: 400,
    certificate_fields_left_out: ("other", False, []),
    certificate_rename: 501,
    certificate_by_a_wildcard: [200, 200],
    warnings_of_a_project: None,
    cluster_of_one: [500, 400],
}
