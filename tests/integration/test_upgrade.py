"""
An update of lxdapi below a running highstate: that one ends with the code that it began with, and the next one runs the
new code and changes nothing.
"""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support import distribution
from tests.support import pip_install as installed
from tests.support.daemons import until
from tests.support.salt_commands import REPO
from tests.support.web_server_life import by_id

OLD, SECONDS = "0.0.1", 60
# The project is another connection, which begins after the update.
SLS = """
before:
  lxdapi_profile.present: []

update:
  cmd.run:
    - name: |
        touch {folder}/waiting
        for each in $(seq {tenths}); do [ ! -e {folder}/updated ] || exit 0; sleep 0.1; done
        exit 1
    - unless: test -e {folder}/updated

shop:
  lxdapi_project.present:
    - config: {{features.images: false, features.profiles: false}}

busybox:
  lxdapi_image.present:
    - source: salt://busybox.tar.gz
    - project: shop

web1:
  lxdapi_instance.present:
    - source: busybox
    - running: true
    - project: shop
"""
CHANGED = {"before", "update", "shop", "busybox", "web1"}


class Deployment:
    """
    A minion with an old version of lxdapi, which an update replaces.

    make_salt
        Makes the Salt: that of the fixture, or one with a package installed by pip.
    """

    def __init__(self, folder, image, daemon):
        self.folder = folder
        self.tree, self.code = folder / "tree", folder / "code"
        self.tree.mkdir()
        shutil.copy(image, self.tree / "busybox.tar.gz")
        (self.tree / "top.sls").write_text("base: {'*': [shop]}")
        (self.tree / "shop.sls").write_text(SLS.format(folder=folder, tenths=SECONDS * 10))
        # A change of the files is seen at once.
        self.options = {"lxdapi": {"remotes": {"local": daemon.socket}}, "fileserver_list_cache_time": 0}

    def deploy(self, sources):
        """Make a folder the checkout among the file_roots."""
        new = self.folder / "new"
        new.symlink_to(sources)
        new.rename(self.code)

    def updated_while_running(self, salt, update):
        """Return the results of a highstate during which the update was made."""
        with ThreadPoolExecutor() as pool:
            running = pool.submit(salt.call, "state.apply")
            assert until(lambda: (self.folder / "waiting").exists() or running.done(), SECONDS)
            assert not running.done(), running.result()
            update()
            (self.folder / "updated").touch()
            return by_id(running.result().result())


@pytest.fixture
def deployment(tmp_path, image, daemon):
    """The folders of a deployment."""
    return Deployment(tmp_path, image, daemon)


def prove(deployment, salt, update):
    """Check the highstate during the update, and the one after it."""
    first = deployment.updated_while_running(salt, update)
    assert {name for name, each in first.items() if each["result"] and each["changes"]} == CHANGED, first
    commented = {name for name, each in first.items() if each["comment"].startswith(f"{OLD}: ")}
    assert commented == CHANGED - {"update"}
    again = by_id(salt.call("state.apply").result())
    assert {name: each for name, each in again.items() if not each["result"] or each["changes"]} == {}
    assert not [each for each in again.values() if OLD in each["comment"]]


@pytest.mark.mainly("incus")
def test_synced_update_below_a_highstate_changes_nothing(deployment, make_salt):
    distribution.copy_sources(deployment.folder / "old", OLD)
    deployment.deploy(deployment.folder / "old")
    salt = make_salt("updated", roots=[deployment.tree, deployment.code], **deployment.options)

    def update():
        deployment.deploy(REPO)
        salt.sync()

    prove(deployment, salt, update)


@pytest.mark.long
def test_pip_update_below_a_highstate_changes_nothing(deployment, make_installed, make_wheel):
    salt = make_installed(version=OLD, roots=[deployment.tree], **deployment.options)
    prove(deployment, salt, lambda: installed.install(salt.python, make_wheel()))
