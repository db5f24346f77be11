"""Which test asks which boot. A test says what PC it wants by a marker (or pytestmark for a whole file):

    @pytest.mark.boot(firmware="bios", cpus=2, manifest=MANIFEST)
    def test_something(boot):
        boot.guest_prompt()

Tests with equal arguments share one boot, which ends after the last of them; `fresh=True` gives a test its own. Arguments are
the fields of tools/emulator.py's Options and those that harness.IMAGE_DEFAULTS lists.
"""
import ctypes
import os
import signal
import threading

import harness
import pytest

# Nothing here takes longer, whatever the emulator does.
TEST_SECONDS = 900


def pytest_configure(config):
    # A worker ends with the pytest that started it, and its PC with it.
    if "PYTEST_XDIST_WORKER" in os.environ:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    config.addinivalue_line("markers", "boot(**arguments): the PC that the `boot` fixture gives this test")
    config.addinivalue_line("markers", "slow: runs with ./dev test --all only")
    config.addinivalue_line("markers", "xdist_group(name): tests that one worker runs")


def arguments_of(item):
    """The boot that a test wants, from all its markers: the nearest one wins."""
    arguments = {}
    for marker in reversed(list(item.iter_markers("boot"))):
        arguments.update(marker.kwargs)
    parameters = getattr(item, "callspec", None)
    if parameters and isinstance(parameters.params.get("boot"), dict):
        arguments.update(parameters.params["boot"])
    if arguments.pop("fresh", False):
        arguments["_only"] = item.nodeid
    return arguments


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests of one boot run one after the other, in one worker."""
    for item in items:
        item.boot_key = harness.boot_key(arguments_of(item)) if "boot" in item.fixturenames else None
        if item.boot_key:
            item.add_marker(pytest.mark.xdist_group(item.boot_key))
    first = {}
    for number, item in enumerate(items):
        first.setdefault(item.boot_key, number)
    items.sort(key=lambda item: first[item.boot_key])


class Boots:
    """The boots of this session: at most one is on, and it ends as soon as the next is wanted."""

    def __init__(self):
        self.images = harness.Images()
        self._key = None
        self._boot = None

    def get(self, item):
        if item.boot_key != self._key:
            self.end()
            arguments = {name: value for name, value in arguments_of(item).items() if name != "_only"}
            self._key, self._boot = item.boot_key, harness.Boot(self.images, arguments)
        return self._boot

    def emulator(self, **options):
        """A PC of a test's own (fields of emulator.Options). The shared one ends first: a worker that holds one of the PC's two
        places for emulators and waits for the other waits for ever when the other worker does the same."""
        self.end()
        return harness.emulator.Emulator(harness.emulator.Options(**options), slot=True)

    def end(self):
        if self._boot:
            self._boot.close()
        self._key = self._boot = None


@pytest.fixture(scope="session")
def boots():
    pool = Boots()
    yield pool
    pool.end()
    pool.images.close()


@pytest.fixture
def boot(request, boots):
    """The PC that the test's marker describes; switched on when it is first asked something."""
    request.node.boot = boots.get(request.node)
    return request.node.boot


@pytest.fixture(autouse=True)
def bounded():
    """Ends a test that hangs."""
    def too_long(*_):
        raise TimeoutError(f"this test took longer than {TEST_SECONDS} s")
    # A worker of pytest-xdist sometimes runs its tests beside the main thread, where signals cannot be caught; every wait of the
    # harness has a bound of its own (tools/emulator.py, tools/cache.py).
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" and report.failed and getattr(item, "boot", None):
        report.sections.append(("the PC's serial port", item.boot.report()))
