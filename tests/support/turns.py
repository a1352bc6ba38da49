"""
Which daemons a test runs with by default, if no marker says so; ``--long`` and ``--daemon`` run it with all.

The two Incus differ in few places. The life of each kind, OVN and the facts about daemons are tested with both; the
other functional tests run with LXD and with one Incus, by turns. The tests of ``integration`` and ``support_tests`` run
with one daemon, by turns.
"""

import re
from zlib import crc32

from tests.support.daemons import USUAL

EVERYWHERE = re.compile(
    r"tests/functional/(kinds/test_(matrix|generic_functions|idempotence.*)|ovn/.*|test_facts|test_smoke)\.py"
)
FUNCTIONAL, OTHERS = "tests/functional/", ("tests/integration/", "tests/support_tests/")
INCUS = ("incus", "incus7")


def waits(test, kind, selected):
    """
    Return whether a test leaves this kind of daemon to --long.

    test
        The id of the test in pytest.
    selected
        The kinds of daemons that the test can run with.
    """
    if test.startswith(OTHERS):
        rivals = USUAL
    elif test.startswith(FUNCTIONAL) and not EVERYWHERE.match(test):
        rivals = INCUS
    else:
        return False
    rivals = [each for each in rivals if each in selected]
    return kind in rivals and kind != rivals[crc32(_of_all(test, kind).encode()) % len(rivals)]


def _of_all(test, kind):
    """Return the id of a test without the kind of daemon."""
    return re.sub(rf"(?<=[\[-]){kind}(?=[\]-])", "", test)
