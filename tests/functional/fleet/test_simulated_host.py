"""
The simulated host behaves as Incus does: the same states in the same order have the same results on both.
"""

import math
import os

import pytest

from tests.support.loader import Loaded
from tests.support.simulated import Simulated

pytestmark = pytest.mark.mainly("incus")
DISK = {"data": {"type": "disk", "source": "/tmp", "path": "/data"}}
# (function, name, arguments): each is predicted, applied, and applied once more.
STATES = [
    ("lxdapi_project.present", "p", {"description": "d"}),
    ("lxdapi_image_alias.present", "other", {"target": "{image}", "description": "d"}),
    ("lxdapi_profile.present", "web", {"config": {"user.tier": "front"}, "devices": DISK}),
    ("lxdapi_profile.present", "web", {"config": {"user.tier": None, "user.x": "1"}, "description": "d"}),
    ("lxdapi_instance.present", "c1", {"source": "busybox", "running": True, "profiles": ["default", "web"]}),
    ("lxdapi_instance.present", "c1", {"config": {"user.a": 1, "limits.cpu": 1}, "description": "d"}),
    ("lxdapi_instance.present", "c1", {"config": {"user.a": None}, "devices": {"d": {**DISK["data"], "path": "/d"}}}),
    ("lxdapi_instance.present", "c2", {"source": {"type": "image", "alias": "missing"}}),
    ("lxdapi_instance.present", "c2", {"source": "none", "profiles": ["missing"]}),
    ("lxdapi_instance.present", "c2", {"source": "none", "config": {"user.b": "2"}}),
    ("lxdapi_instance.frozen", "c1", {}),
    ("lxdapi_instance.stopped", "c1", {"force": True, "timeout": 0}),
    ("lxdapi_instance.present", "c3", {"renamed_from": "c1"}),
    ("lxdapi_instance.running", "c3", {}),
    ("lxdapi_instance.running", "missing", {}),
    ("lxdapi_instance.absent", "c3", {}),
    ("lxdapi_profile.absent", "web", {}),
    ("lxdapi_instance.absent", "c3", {"force": True}),
    ("lxdapi_instance.absent", "c2", {}),
    ("lxdapi_profile.absent", "web", {}),
    ("lxdapi_image_alias.absent", "other", {}),
    ("lxdapi_project.absent", "p", {}),
]


@pytest.fixture
def simulated(tmp_path, daemon):
    """Salt's states with a simulated daemon."""
    with Simulated(os.path.join(daemon.directory, "s.socket"), speed=math.inf) as host:
        yield Loaded(tmp_path / "simulated", {"local": {"endpoint": host.socket}})


def answer_of(loaded, function, name, arguments, image):
    """Return the results and changes of test mode, an apply and a second apply."""
    arguments = {key: value.format(image=image) if key == "target" else value for key, value in arguments.items()}
    answers = [states[function](name=name, **arguments) for states in (loaded.predicted, loaded.states, loaded.states)]
    return [(answer["result"], answer["changes"]) for answer in answers]


def test_simulated_host_gives_same_results_as_incus(salt, simulated, imported):
    real = [answer_of(salt, *state, imported) for state in STATES]
    simulated_answers = [answer_of(simulated, *state, "b" * 64) for state in STATES]
    assert str(simulated_answers).replace("b" * 64, imported) == str(real)
    assert {result for said in real for result, _ in said} == {True, False, None}
