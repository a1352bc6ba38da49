"""
The conversion of SLS files for Salt's removed lxd states and for saltext-incus.
"""

import re
import subprocess
import sys
import textwrap

import jinja2
import pytest
import yaml
from lxdapi.convert import counterparts
from lxdapi.convert.document import convert
from lxdapi.errors import InvalidError

from tests.support.distribution import REPO

# id: (the old text, the new one)
CASES = {
    "profile": (
        """\
        # web servers
        web:
          lxd_profile.present:
            - description: web servers
            - config:
              - key: limits.memory   # enough
                value: {{ pillar['memory'] }}
              # two of them
              - value: "2"
                key: limits.cpu
            - devices:
                root: {path: /, pool: default, type: disk}
        """,
        """\
        # web servers
        web:
          lxdapi_profile.present:
            - description: web servers
            - config:
                # enough
                limits.memory: {{ pillar['memory'] }}
              # two of them
                limits.cpu: "2"
            - devices:
                root: {path: /, pool: default, type: disk}
        """,
    ),
    "Jinja": (
        """\
        {% for n in range(2) %}
        web{{ n }}:
          lxd_container.present:
            {% if n %}
            - source: {type: image, alias: busybox}
            {% else %}
            - source: busybox
            {% endif %}
            - architecture: unknown
            - config: [{key: boot.autostart, value: 1}]
        {% endfor %}
        """,
        """\
        {% for n in range(2) %}
        web{{ n }}:
          lxdapi_instance.present:
            {% if n %}
            - source: {type: image, alias: busybox}
            {% else %}
            - source: busybox
            {% endif %}
            - config: {boot.autostart: 1}
        {% endfor %}
        """,
    ),
    "power": (
        """\
        a:
          lxd_container.stopped:
            - kill: true
        b:
          lxd_container.absent:
            - stop: true
        c:
          lxd_container:
            - running
            - restart: false
        d: lxd_container.frozen
        e:
          lxd_container.migrated:
            - stop_and_start: true
        """,
        """\
        a:
          lxdapi_instance.stopped:
            - force: true
            - timeout: 0
        b:
          lxdapi_instance.absent:
            - force: true
        c:
          lxdapi_instance:
            - running
        d: lxdapi_instance.frozen
        e:
          lxdapi_instance.migrated:
            - allow_stop: true
        """,
    ),
    "images": (
        """\
        bb:
          lxd_image.present:
            - source:
                type: file
                filename: salt://bb.tar.gz
                saltenv: prod
        url:
          lxd_image.present:
            - source: {type: url, url: "https://images.example.com/x.tar.gz"}
        server:
          lxd_image.present:
            - source:
                type: simplestreams
                server: https://images.example.com
                name: debian/12  # the newest
            - public: true
        """,
        """\
        bb:
          lxdapi_image.present:
            - source: salt://bb.tar.gz
            - saltenv: prod
        url:
          lxdapi_image.present:
            - source: "https://images.example.com/x.tar.gz"
        server:
          lxdapi_image.present:
            - source:
                protocol: simplestreams
                server: https://images.example.com
                alias: debian/12  # the newest
            - public: true
        """,
    ),
    "requisites": (
        """\
        extend:
          web:
            lxd_container:
              - require:
                - lxd_profile: web
        run:
          cmd.run:
            - require_in:
              - lxd_container: web
            - watch:
              - lxd: core.https_address
              - file: /etc/web
        core.https_address:
          lxd.config_managed:
            - value: "[::]"
        """,
        """\
        extend:
          web:
            lxdapi_instance:
              - require:
                - lxdapi_profile: web
        run:
          cmd.run:
            - require_in:
              - lxdapi_instance: web
            - watch:
              - lxdapi_server: core.https_address
              - file: /etc/web
        core.https_address:
          lxdapi_server.present:
            - config:
                core.https_address: "[::]"
        """,
    ),
    "saltext-incus": (
        """\
        web1:
          incus.present:
            - image: images:debian/12
            - running: true
        web2:
          incus.absent: []
        web3:
          incus.stopped:
            - force: true
        salt for web1:
          incus.sls_applied:
            - name: web1
            - mods: [web]
            - cleanup: true
        """,
        """\
        web1:
          lxdapi_instance.present:
            - source: images:debian/12
            - running: true
        web2:
          lxdapi_instance.absent:
            - force: true
        web3:
          lxdapi_instance.stopped:
            - force: true
        salt for web1:
          lxdapi_salt.applied:
            - name: web1
            - mods: [web]
        """,
    ),
}
CONNECTED = """\
web:
  lxd_profile.present:
    - remote_addr: https://incus.example.com:8443
    - cert: ~/c.crt
    - key: ~/c.key
    - verify_cert: false
db:
  lxd_profile.present:
    - remote_addr: /var/snap/lxd/common/lxd/unix.socket
web1:
  lxd_container.migrated:
    - src_remote_addr: https://old.example.com
    - src_cert: ~/c.crt
"""
INIT = """\
LXD:
  lxd.init:
    - storage_backend: btrfs
    - storage_create_loop: 20
    - trust_password: {{ pillar['password'] }}
    - network_address: 0.0.0.0
    - require:
      - pkg: lxd
"""


def converted(text):
    return convert(textwrap.dedent(text))


def split(text):
    """Return (report lines, the text below)."""
    lines = text.splitlines(keepends=True)
    report = [line[2:].rstrip("\n") for line in lines if line.startswith("# ")]
    return report, "".join(line for line in lines if not line.startswith("# "))


@pytest.mark.parametrize(("old", "new"), CASES.values(), ids=CASES)
def test_old_states_become_new_ones(old, new):
    assert converted(old) == textwrap.dedent(new)


@pytest.mark.parametrize(("_", "new"), CASES.values(), ids=CASES)
def test_converted_text_is_an_sls_file(_, new):
    rendered = jinja2.Template(textwrap.dedent(new)).render(pillar={"memory": "1GiB"})
    assert yaml.safe_load(rendered)


def test_connections_become_remotes():
    report, text = split(convert(CONNECTED))
    data = yaml.safe_load(text)
    assert data["web"]["lxdapi_profile.present"] == [{"remote": "incus-example-com"}]
    assert data["db"]["lxdapi_profile.present"] == []
    assert data["web1"]["lxdapi_instance.migrated"] == [{"source_remote": "old-example-com"}]
    assert report[0].endswith(":") and yaml.safe_load("\n".join(report[1:]))["lxdapi"]["remotes"] == {
        "incus-example-com": {
            "endpoint": "https://incus.example.com:8443",
            "cert": "~/c.crt",
            "key": "~/c.key",
            "verify": False,
        },
        "old-example-com": {"endpoint": "https://old.example.com", "cert": "~/c.crt"},
    }


def test_init_becomes_a_pool_and_settings():
    report, text = split(convert(INIT))
    assert yaml.safe_load(jinja2.Template(text).render(pillar={"password": "x"})) == {
        "LXD": {
            "lxdapi_storage_pool.present": [
                {"name": "default"},
                {"driver": "btrfs"},
                {"config": {"size": "20GiB"}},
                {"require": [{"pkg": "lxd"}]},
            ],
            "lxdapi_server.present": [
                {"config": {"core.trust_password": "x", "core.https_address": "0.0.0.0:8443"}},
            ],
        }
    }
    assert report[1].startswith("line 2: lxd.init also made a network")


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("a:\n  lxd_container.running:\n    - restart: true\n", "line 3: restart: use watch"),
        ("a:\n  lxd_container.present:\n    - remote_addr: {{ x }}\n", "line 3: remote: expected the name of a remote"),
        ("a:\n  lxd_profile.present:\n    - config: {{ x }}\n", "line 3: config: expected a mapping"),
        ("a:\n  cmd.run:\n    - name: {{ salt['lxd.container_list']() }}\n", "line 3: lxd.container_list returns"),
        ("a:\n  cmd.run:\n    - require:\n      - lxd: b\n", "line 4: lxd: which state of lxdapi is b now?"),
    ],
)
def test_what_a_person_has_to_decide_is_reported(text, decision):
    report, _ = split(convert(text))
    assert report[1].startswith(decision)


@pytest.mark.parametrize("text", ["a: b\n", "#!py\nimport os\n", "a: [\n", "web:\n  pkg.installed: []\n", ""])
def test_other_files_are_refused(text):
    with pytest.raises(InvalidError, match="expected an SLS file"):
        convert(text)


def test_every_counterpart_is_on_the_page():
    page = (REPO / "docs/how-to/from-salt-lxd.rst").read_text()
    for old, new in (*counterparts.STATES.items(), *counterparts.FUNCTIONS.items()):
        if old.startswith(("lxd", "incus.call", "incus.sls")):
            assert re.search(rf"``{old}``.*\n +- .*{f'``{new}``' if new else ''}", page), old


def test_the_command_prints_the_converted_file(tmp_path):
    old, new = map(textwrap.dedent, CASES["profile"])
    (tmp_path / "web.sls").write_text(old)
    command = [sys.executable, "-m", "lxdapi.convert"]
    environment = {"PYTHONPATH": str(REPO / "_utils")}
    options = {"capture_output": True, "text": True, "env": environment, "timeout": 60}
    assert subprocess.run([*command, tmp_path / "web.sls"], **options).stdout == new
    for words, status, message in (([], 2, "usage:"), (["/nope"], 1, "/nope: "), ([__file__], 1, "expected an SLS")):
        failed = subprocess.run([*command, *words], **options)
        assert failed.returncode == status and message in failed.stderr
