"""
The how-to pages about snapshots, images, migration, clusters and other tools work, and the blocks of reference pages.
"""

from contextlib import ExitStack

import pytest

from tests.support.cluster import Cluster
from tests.support.documentation import blocks
from tests.support.image_server import ImageServer
from tests.support.loader import Loaded
from tests.support.oci_registry import OciRegistry
from tests.support.walkthrough import Reader


@pytest.fixture
def read(salt, daemon, image, imported, tmp_path):
    """Read a page on a daemon that has the image "busybox"; stand-ins by the texts of the page."""
    (salt.tree / "busybox.tar.gz").write_bytes(image.read_bytes())
    stand_ins = {"/srv/backups": str(tmp_path)}
    return lambda page, **more: Reader(salt, daemon, {**stand_ins, **more}).read(f"docs/how-to/{page}")


@pytest.fixture
def web1(daemon, imported):
    """A stopped instance and a volume."""
    daemon.ask("POST", "/1.0/instances", {"name": "web1", "source": {"type": "image", "alias": "busybox"}})
    daemon.ask("POST", "/1.0/storage-pools/default/volumes/custom", {"name": "data"})


@pytest.mark.mainly("incus7")
def test_guide_to_snapshots_and_backups_does_what_it_shows(read, web1, daemon):
    read("snapshots-and-backups")
    assert {each["name"] for each in daemon.ask("GET", "/1.0/instances?recursion=1")} == {"web1", "web2", "web3"}


@pytest.mark.mainly("incus")
def test_guide_from_ansible_does_what_it_shows(read, daemon):
    read("from-ansible-and-terraform")
    assert daemon.ask("GET", "/1.0/instances") == []


@pytest.mark.mainly("lxd")
def test_guide_from_salt_lxd_does_what_it_shows(read, daemon, salt):
    (salt.tree / "web.sls").write_text("web: lxd_profile.absent\n")
    read("from-salt-lxd", **{"    - remote: far\n": ""})
    assert daemon.ask("GET", "/1.0/instances/web1")["profiles"] == ["default", "web"]


@pytest.fixture
def image_server(tmp_path):
    """A server that has the image of the page."""
    server = ImageServer(tmp_path)
    server.add("20250101_00:00", aliases="debian/12")
    yield server
    server.close()


@pytest.fixture
def registry(daemon, tmp_path):
    """A registry that has the image of the page."""
    made = OciRegistry(tmp_path / "registry")
    made.trust(daemon)
    made.add("library/busybox", "1.36")
    yield made
    made.close()


@pytest.mark.only("incus7")
def test_guide_to_images_does_what_it_shows(image_server, registry, web1, daemon, proxy, image, tmp_path):
    url, certificate = image_server.url, str(image_server.certificate)
    servers = {"images": {"server": url, "certificate": certificate}}
    servers["docker"] = {"server": registry.url, "protocol": "oci", "certificate": str(registry.certificate)}
    salt = Loaded(tmp_path, {"local": str(proxy.socket)}, image_servers=servers)
    (salt.tree / "busybox.tar.gz").write_bytes(image.read_bytes())
    shown = {
        "/srv/backups": str(tmp_path),
        "server: https://images.example.com": f"server: {url}\n        certificate: {certificate}",
        "products https://images.example.com": f"products {url} certificate={certificate}",
    }
    Reader(salt, daemon, shown).read("docs/how-to/images")
    aliases = {each["name"] for each in daemon.ask("GET", "/1.0/images/aliases?recursion=1")}
    assert aliases == {"busybox", "busybox/1.36", "busybox/oci", "debian/12", "web-golden"}


@pytest.fixture
def hosts(pair, salt):
    """Two daemons as the remotes host1, which is the local one as well, and host2."""
    for each in (pair.here, pair.there):
        each.ask("POST", "/1.0/storage-pools", {"name": "fast", "driver": "dir"})
        each.ask("POST", "/1.0/projects", {"name": "shop", "config": {"features.profiles": "false"}})
    for name in ("web1", "shop1"):
        pair.here.ask("POST", "/1.0/instances", {"name": name, "source": {"type": "image", "alias": "busybox"}})
    here, there = str(pair.before.socket), str(pair.behind.socket)
    return Loaded(salt.folder / "hosts", {"local": here, "host1": here, "host2": there})


@pytest.mark.mainly("lxd")
def test_guide_to_migration_does_what_it_shows(hosts, pair):
    Reader(hosts, pair.here).read("docs/how-to/migration")
    names = [
        [each["name"] for each in daemon.ask("GET", "/1.0/instances?recursion=1")] for daemon in (pair.here, pair.there)
    ]
    assert [sorted(each) for each in names] == [["web1", "web3"], ["shop1", "web1"]]


@pytest.fixture
def servers(image, tmp_path):
    """Return readers for two servers that belong to no cluster, and the Salt of the first one."""
    made = Cluster("incus", 2)
    stand_ins = {f"192.0.2.{name[1:]}:8443": address for name, address in made.addresses.items()}
    stand_ins["/srv/pools"] = str(tmp_path / "pools")
    with ExitStack() as stack:
        stack.callback(made.remove)
        stack.callback(made.stop)
        made.apart().first.preseed()
        made.first.import_image(image, alias="busybox")
        for name in made.members:
            (tmp_path / "pools" / name).mkdir(parents=True)
        salts = [Loaded(tmp_path, {"local": str(server.socket)}) for server in made.members.values()]
        yield salts, lambda salt, **more: Reader(salt, made.first, {**stand_ins, **more})


def test_guide_to_clusters_does_what_it_shows(servers):
    (first, second), reader = servers
    enabled, token, joined, *others = blocks("docs/how-to/clusters")
    reader(first).do(enabled)
    assert token.text == "salt-call lxdapi_cluster.join_token n2\n"
    given = first.modules["lxdapi_cluster.join_token"]("n2")
    reader(second, **{"__slot__:salt:config.get(cluster_token)": given}).do(joined)
    for block in others:
        reader(first).do(block)
    assert list(first.modules["lxdapi_cluster.members"]()) == ["n1", "n2"]
    assert first.modules["lxdapi.get"]("instance", "web1")["location"] == "n2"


@pytest.mark.mainly("lxd")
@pytest.mark.parametrize("page", ["outputters", "settings"])
def test_reference_page_does_what_it_shows(salt, daemon, web1, page):
    Reader(salt, daemon).read(f"docs/reference/{page}")


@pytest.mark.mainly("incus")
def test_python_of_the_documentation_works(daemon, imported, monkeypatch, capsys):
    monkeypatch.setenv("LXD_SOCKET", str(daemon.socket))
    names = {}
    for block in blocks("docs/reference/python"):
        exec(compile(block.text, block.heading, "exec"), names)  # noqa: S102
    assert capsys.readouterr().out == "Running\n404 GET /1.0/instances/nope\n"
