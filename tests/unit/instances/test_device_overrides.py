"""
Overridden devices of profiles.
"""

from lxdapi.instances import plan
from lxdapi.instances.spec import InstanceSpec

from tests.support.fake_transport import Paper
from tests.support.model_daemon import INSTANCE, Model


def test_override_of_a_future_copy_is_left_to_the_copy():
    paper = Paper(Model({"profiles/default": {"devices": {"root": {"path": "/"}}}}))
    given, copy = {"eth0": {"mtu": "1300"}}, {"type": "copy", "source": "c0"}
    found = plan.fields_of(paper.api, "c1", InstanceSpec({}, devices_override=given, source=copy))
    assert found["devices"] == given


def test_override_uses_profiles_of_the_renamed_instance():
    profiles = {"profiles/web": {"devices": {"eth0": {"type": "nic"}}}, "profiles/default": {"devices": {}}}
    paper = Paper(Model({"instances/old": {**INSTANCE, "profiles": ["default", "web"]}, **profiles}))
    given = {"eth0": {"mtu": "1300"}}
    found = plan.fields_of(
        paper.api, "c1", InstanceSpec({"description": "d"}, devices_override=given, renamed_from="old")
    )
    assert found["devices"] == {"eth0": {"type": "nic", "mtu": "1300"}} and found["description"] == "d"
