"""
Random clients in parallel: no run deletes an instance that could ever be read.
"""

import os
import secrets

import pytest

from tests.support.examples import examples
from tests.support.images import busybox_image
from tests.support.interleavings import Interleavings
from tests.support.loader import Loaded

STEPS = examples(12)
# The seed of an earlier run, to reproduce it.
SEED = "LXDAPI_SEED"


@pytest.mark.timeout(3600)
def test_no_run_deletes_an_instance_that_was_ever_readable(daemon, tmp_path):
    daemon.import_image(busybox_image(tmp_path / "slow.tar.gz", files=300), alias="slow")
    salt = Loaded(tmp_path / "salt", {"local": {"endpoint": daemon.socket, "retry_timeout": 5}})
    seed = int(os.environ.get(SEED) or secrets.randbelow(10**6))
    play = Interleavings(daemon, salt, "slow", seed)
    for _ in range(STEPS):
        play.step()
        assert play.lost == [], f"{SEED}={seed}: {play.lost}; {play.log[-3:]}"
    print(f"{daemon.name}: {STEPS} steps with {SEED}={seed}, {len(play.files)} instances have their files")
    assert play.files, f"{SEED}={seed}: nothing was ever there"
