"""
cloud-init documents: compared by meaning, shown as a diff without their secrets.
"""

import pytest

KEY = "cloud-init.user-data"
DOCUMENT = """#cloud-config
# the shop's machines
package_update: true
packages:
  - nginx
  - "curl"
chpasswd:
  list: |
    root:canary-1
users:
  - name: shop
    passwd: canary-2
    shell: /bin/bash
"""
ALIKE = """#cloud-config
packages: [nginx, curl]
users: [{shell: /bin/bash, name: shop, passwd: "canary-2"}]
package_update: yes
chpasswd: {list: "root:canary-1\\n"}
"""


@pytest.fixture
def profile(apply, daemon):
    """A profile with the document."""
    apply("lxdapi_profile.present", "web", config={KEY: DOCUMENT})
    return "web"


def test_another_spelling_of_yaml_is_no_change(apply, profile, raw):
    same_head = ALIKE.replace("#cloud-config\n", "#cloud-config\n# the shop's machines\n")
    apply.unchanged("lxdapi_profile.present", profile, config={KEY: same_head})
    assert raw("profiles/web")["config"][KEY] == DOCUMENT


def test_difference_is_shown_as_a_diff(apply, profile, raw):
    other = DOCUMENT.replace("nginx", "apache2")
    changes = apply.changed("lxdapi_profile.present", profile, config={KEY: other})
    assert changes["config"][KEY]["diff"].splitlines() == [
        "--- old",
        "+++ new",
        "@@ -3,5 +3,5 @@",
        " package_update: true",
        " packages:",
        "-  - nginx",
        "+  - apache2",
        '   - "curl"',
        " chpasswd:",
    ]
    assert raw("profiles/web")["config"][KEY] == other


def test_password_in_document_is_masked(apply, profile, raw):
    for old, new in (("canary-2", "canary-3"), ("canary-1", "canary-4")):
        before = raw("profiles/web")["config"][KEY]
        ret = apply("lxdapi_profile.present", profile, config={KEY: before.replace(old, new)})
        assert ret["result"] is True and ret["changes"]["config"][KEY]["diff"]
        assert "canary" not in str(ret), ret
    document = raw("profiles/web")["config"][KEY]
    assert "canary-3" in document and "canary-4" in document
    ret = apply("lxdapi_profile.present", profile, config={KEY: None})
    assert "canary" not in str(ret), ret
    ret = apply("lxdapi_profile.present", profile, config={KEY: DOCUMENT})
    assert "canary" not in str(ret), ret
    assert "nginx" in str(ret)


@pytest.mark.parametrize("key", ["user.user-data", "cloud-init.vendor-data", "cloud-init.network-config"])
def test_each_document_is_compared_by_meaning(apply, daemon, key):
    apply("lxdapi_profile.present", "web", config={key: "version: 2\nethernets: {eth0: {dhcp4: true}}\n"})
    apply.unchanged("lxdapi_profile.present", "web", config={key: "ethernets:\n  eth0:\n    dhcp4: true\nversion: 2"})
    ret = apply.predicted("lxdapi_profile.present", "web", config={key: "version: 1"})
    assert "+version: 1" in ret["changes"]["config"][key]["diff"]


def test_script_is_compared_as_text(apply, daemon):
    apply("lxdapi_profile.present", "web", config={KEY: "#!/bin/sh\necho  a\n"})
    changes = apply.changed("lxdapi_profile.present", "web", config={KEY: "#!/bin/sh\necho a\n"})
    assert "+echo a" in changes["config"][KEY]["diff"]


def test_invalid_yaml_is_compared_as_text(apply, daemon):
    apply("lxdapi_profile.present", "web", config={KEY: "a: [1"})
    apply.unchanged("lxdapi_profile.present", "web", config={KEY: "a: [1"})
    assert apply.changed("lxdapi_profile.present", "web", config={KEY: "a: [2"})
