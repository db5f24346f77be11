"""The emulated PC itself: that a boot is what a test asked for, and that what must fail does."""
import contextlib
import itertools
import os
import pty
import subprocess
import sys
import tty
import types

import emulator
import fetch
import pytest

# UEFI's own shell or boot manager: the volume holds no loader.
EMPTY = {"without": ("*",), "linux": False, "manifest": "", "machine": "qemu", "memory": 256}


@pytest.mark.boot(**EMPTY)
def test_firmware_speaks_on_the_serial_port(boot):
    boot.wait_for("BdsDxe", seconds=120)
    assert boot.running


@pytest.mark.boot(**EMPTY)
def test_waiting_is_bounded(boot):
    with pytest.raises(emulator.WaitFailed, match="did not come within"):
        boot.wait_for("this text never comes", seconds=1)


@pytest.mark.boot(machine="qemu", firmware="bios", linux=False, memory=256, manifest="", cmdline="selftest=divide")
def test_waiting_ends_when_ring_0_stops(boot):
    with pytest.raises(emulator.WaitFailed, match="ring 0 stopped before"):
        boot.wait_for("this text never comes", seconds=300)


# Writes to its terminal as Bochs does, one byte at a time without waiting, and says how many were lost.
WRITER = """
import os
lost = 0
os.set_blocking(1, False)
for number in range(40_000):
    try:
        os.write(1, bytes([97 + number % 26]))
    except BlockingIOError:
        lost += 1
os._exit(min(lost, 255))
"""


@pytest.mark.parametrize("loses", [False, True])
def test_a_guests_output_waits_for_a_late_reader(loses):
    root = fetch.installed()
    environment = {**os.environ, "LD_PRELOAD": str(root / fetch.cure_name())}
    if not loses:
        environment["BULKHEAD_CLOCK"] = os.devnull
    reader, terminal = pty.openpty()
    tty.setraw(terminal)
    writer = subprocess.Popen([sys.executable, "-c", WRITER], stdin=subprocess.DEVNULL, stdout=terminal, env=environment)
    os.close(terminal)
    if loses:
        writer.wait(60)
    else:
        with pytest.raises(subprocess.TimeoutExpired):  # a terminal keeps less than that
            writer.wait(0.5)
    output = bytearray()
    with contextlib.suppress(OSError):  # the terminal's end
        while piece := os.read(reader, 65536):
            output += piece
    os.close(reader)
    assert (writer.wait(60) != 0) == loses
    assert (len(output) == 40_000) == (not loses)


def chatty(**more):
    """An emulator that prints without pause, and never what is waited for."""
    pc = emulator.Emulator(emulator.Options())
    pc.process = types.SimpleNamespace(poll=lambda: None)
    pc.pump = lambda seconds: True
    for name, value in more.items():
        setattr(pc, name, value)
    return pc


def test_waiting_is_bounded_beside_a_pc_that_never_pauses():
    with pytest.raises(emulator.WaitFailed, match="did not come within 0.2 s"):
        chatty().wait_for("this text never comes", seconds=0.2)
    count = itertools.count()
    with pytest.raises(emulator.WaitFailed, match="did not come within 5 ticks"):
        chatty(_clock=True, ticks=lambda: next(count)).wait_for("this text never comes", ticks=5, seconds=60)


def test_waiting_for_a_place_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    taken = emulator.cache.Slot(count=1)
    with pytest.raises(emulator.cache.NoPlace, match="1 emulators run already and none ended for 0.2 s"):
        emulator.cache.Slot(count=1, seconds=0.2)
    taken.release()
    emulator.cache.Slot(count=1, seconds=0.2).release()
