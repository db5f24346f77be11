"""The user's cache folder, shared by all clones: where it is, locks in it, run folders and emulator slots.

Owns the folder's layout, not what others keep below it (tools/bochs/fetch.py, guests/linux/build.py)."""
import contextlib
import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

# So long nobody's emulator runs for one test.
SLOT_SECONDS = 1800


def folder(*parts):
    """The cache folder (or one below it), made if it is not there."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = Path(base, "bulkhead", *parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def locked(path, shared=False, wait=True):
    """Holds a lock on the file `path`; yields whether it was taken (always true when waiting)."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        mode = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        try:
            fcntl.flock(descriptor, mode)
            taken = True
        except BlockingIOError:
            taken = False
        yield taken
    finally:
        os.close(descriptor)


def end_in_order():
    """From now on SIGTERM and SIGHUP end this program by an exception, so that what it has begun is cleaned up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))


def replace_link(link, target_name):
    """Points the symbolic link at a folder beside it, in one step."""
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target_name)
    os.replace(temporary, link)


class RunFolder:
    """A folder for one run of an emulator. What a killed run left behind goes away at the next run's start."""

    def __init__(self):
        base = folder("runs")
        with locked(base / ".lock"):
            for left_over in base.iterdir():
                if left_over.is_dir():
                    self._remove_if_dead(left_over)
            self.path = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=base))
            self._descriptor = os.open(self.path / ".alive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    @staticmethod
    def _remove_if_dead(path):
        with contextlib.suppress(OSError):
            with locked(path / ".alive", wait=False) as taken:
                if taken:
                    shutil.rmtree(path, ignore_errors=True)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._descriptor)


class NoPlace(Exception):
    """All places for emulators stayed taken."""


class Slot:
    """One of as many places as the PC has CPUs: tests do not run more emulators at once than that. Others' tests are bounded, so
    that a place comes free; if none does, that is said after a while."""

    def __init__(self, count=None, seconds=SLOT_SECONDS):
        base = folder("slots")
        count = count or max(1, os.cpu_count() or 1)
        deadline = time.monotonic() + seconds
        self._descriptor = None
        while self._descriptor is None:
            if time.monotonic() > deadline:
                raise NoPlace(f"{count} emulators run already and none ended for {seconds} s (places: {base})")
            for number in range(count):
                descriptor = os.open(base / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._descriptor = descriptor
                    break
                except BlockingIOError:
                    os.close(descriptor)
            else:
                time.sleep(0.1)

    def release(self):
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
