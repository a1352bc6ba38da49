"""
Fixtures for all tests: real daemons, started when the first test needs one, and wiped after each test.

``--daemon lxd`` restricts the tests to one daemon; otherwise LXD and Incus must be installed. The daemons of Debian 13,
which ./test cannot install everywhere, are omitted where they are missing, and the run says so. Its LXD runs only the
tests marked ``smoke``, and all with ``--long``, which also adds the tests marked ``long``.
"""

import logging
import os
import signal
from contextlib import ExitStack

import pytest

from tests.support import examples, turns
from tests.support.cluster import Cluster
from tests.support.contract import missing
from tests.support.daemons import INTERRUPTIONS, KINDS, USUAL, Daemon, uninterrupted
from tests.support.fault_proxy import FaultProxy
from tests.support.images import busybox_image
from tests.support.outcomes import Recorder
from tests.support.started import Started

WITHOUT_DEBIAN13, SMOKED = pytest.StashKey(), pytest.StashKey()


def pytest_addoption(parser):
    """Add the options --daemon and --long."""
    help_text = "test against this daemon only (can be repeated)"
    parser.addoption("--daemon", action="append", choices=sorted(KINDS), help=help_text)
    help_text = "also what takes long: soaks, many more random inputs, each cluster case with each daemon"
    parser.addoption("--long", action="store_true", help=help_text)
    parser.addoption("--outcomes", help="a file for how each test ended, see outcomes.py")


def pytest_configure(config):
    """Make ``--daemon`` a list of kinds, and apply ``--long`` and ``--outcomes``."""
    if config.option.long:
        os.environ[examples.VARIABLE] = "1"
    if config.option.outcomes:
        config.pluginmanager.register(Recorder(config.option.outcomes))
    config.stash[WITHOUT_DEBIAN13] = "" if config.option.daemon else missing_debian13()
    config.stash[SMOKED] = []
    if not config.option.daemon:
        kinds = [kind for kind in KINDS if not KINDS[kind].root or not config.stash[WITHOUT_DEBIAN13]]
        config.option.daemon = kinds if config.option.long else [kind for kind in kinds if kind in USUAL]
        config.stash[SMOKED] = [kind for kind in kinds if kind not in config.option.daemon]


@pytest.hookimpl(trylast=True)
def pytest_sessionstart():
    """Handle signals as one interruption from now on; before this there is nothing to end in order."""
    for number in INTERRUPTIONS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as with nohup
            signal.signal(number, interrupt)


def pytest_collection_modifyitems(config, items):
    """
    Mark tests as ``long`` for the daemons that they run with only then, and deselect long tests by default.
    """
    for item in items:
        if waits(item, config.option.daemon):
            item.add_marker(pytest.mark.long)
    if config.option.long:
        for item in items:
            item.add_marker(pytest.mark.timeout(7200), append=item.get_closest_marker("timeout") is None)
    else:
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]


def waits(item, selected):
    """Return whether a test leaves its kind of daemon to --long, by its markers or by its turn."""
    mainly, only = item.get_closest_marker("mainly"), item.get_closest_marker("only")
    params = item.callspec.params if hasattr(item, "callspec") else {}
    kind = next((params[each] for each in ("daemon", "cluster", "kind") if params.get(each) in list(KINDS)), None)
    if mainly:
        return mainly.args[0] != kind
    possible = [each for each in selected if not only or each in only.args]
    return bool(kind) and turns.waits(item.nodeid, kind, possible)


def missing_debian13():
    """Return why the daemons of Debian 13 cannot be tested, empty if they can."""
    absent = "" if Daemon.available("incus7") else "its root file system is not there, ./test makes it"
    return os.environ.get("LXDAPI_WITHOUT_DEBIAN13") or absent


def interrupt(number, frame):
    """End the run; further interruptions do not keep it from stopping the daemons."""
    for each in INTERRUPTIONS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown():
    """
    Delay an interruption until the fixtures have ended. After an interrupted fixture, pytest forgets the following
    ones, and that of pytest-salt-factories would leave threads that keep pytest running.
    """
    with uninterrupted():
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    """Ignore interruptions: there is nothing left to end."""
    for each in INTERRUPTIONS:
        signal.signal(each, signal.SIG_IGN)


def pytest_report_header(config):
    """Name the daemons at the beginning, and a missing one."""
    without, kinds = config.stash[WITHOUT_DEBIAN13], [*config.option.daemon, *config.stash[SMOKED]]
    words = [f"daemons: {', '.join(kinds)}", f"without Debian 13: {without}" if without else "", missing()]
    return "; ".join(filter(None, words))


def pytest_terminal_summary(terminalreporter, config):
    """Name a missing daemon at the end."""
    if config.stash[WITHOUT_DEBIAN13]:
        terminalreporter.section("not tested", yellow=True)
        words = f"Incus 7 and the LXD of Debian 13 were left out: {config.stash[WITHOUT_DEBIAN13]}"
        terminalreporter.line(words, yellow=True)


def pytest_unconfigure(config):
    """
    Silence Salt's log handlers, because stderr may be closed at the very end, and end threads that keep python running.
    """
    logging.raiseExceptions = False
    # pytest-salt-factories forgets this thread if the run was interrupted before the first test: python then never ends
    server = config.pluginmanager.get_plugin("saltfactories-log-server")
    thread = getattr(server, "process_queue_thread", None)
    if thread is not None and thread.is_alive():
        server.stop()


def pytest_generate_tests(metafunc):
    """Run a test that uses ``daemon`` once for each daemon, or for those of the marker ``only``."""
    if "daemon" in metafunc.fixturenames:
        mark, kinds = metafunc.definition.get_closest_marker("only"), metafunc.config.getoption("--daemon")
        if metafunc.definition.get_closest_marker("smoke"):
            kinds = [*kinds, *metafunc.config.stash[SMOKED]]
        metafunc.parametrize("daemon", [kind for kind in kinds if not mark or kind in mark.args], indirect=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Show the end of the daemon's log with a failure."""
    report = (yield).get_result()
    daemon = getattr(item, "funcargs", {}).get("daemon")
    if report.failed and isinstance(daemon, Daemon):
        report.sections.append((f"end of the log of {daemon.name}", daemon.tail()))


@pytest.fixture(scope="session")
def daemons():
    """The daemons of this session, by kind: ``daemons["incus"]``. They stop at the end of the session."""
    with ExitStack() as stack:
        yield Started(stack, Daemon.in_new_directory, lambda made: made.start().preseed())


@pytest.fixture(scope="session")
def clusters():
    """The clusters of this session, with two members each. They stop at the end of the session."""
    with ExitStack() as stack:
        yield Started(stack, lambda kind: Cluster(kind, 2), Cluster.start)


@pytest.fixture
def daemon(request, daemons):
    """A running daemon in its state after the preseed; tests that use it run for each kind."""
    running = daemons[request.param]
    yield running
    # The previous test may have killed it.
    running.start().wipe()


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """The path of a busybox image of about 1 MB."""
    return busybox_image(tmp_path_factory.mktemp("image") / "busybox.tar.gz")


@pytest.fixture
def imported(daemon, image):
    """The fingerprint of the busybox image, imported with the alias "busybox"."""
    return daemon.import_image(image, alias="busybox")


@pytest.fixture
def proxy(daemon):
    """A FaultProxy in front of the daemon; clients connect to ``proxy.socket``."""
    # In the daemon's folder, because the path of a temporary folder of pytest is too long for a socket.
    with FaultProxy(daemon.socket, os.path.join(daemon.directory, "p.socket")) as running:
        yield running
