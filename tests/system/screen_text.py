"""What a QEMU PC shows on its screen, as text: a picture by the monitor, read by tests/screen/read_screen.py."""
import sys
import time

import harness

sys.path.insert(0, str(harness.ROOT / "tests/screen"))
import read_screen

SECONDS = 60


def rows(boot, folder, font=read_screen.DEFAULT_FONT):
    path = folder / "screen.ppm"
    boot.pc.screenshot(path)
    return read_screen.read_screen(read_screen.load_picture(path), read_screen.load_font(font))


def wait_for_row(boot, folder, wanted, seconds=SECONDS):
    """The screen's rows, as soon as one has the wanted text; fails after a while."""
    deadline = time.monotonic() + seconds
    while True:
        seen = rows(boot, folder)
        if any(wanted in row for row in seen):
            return seen
        assert time.monotonic() < deadline, f"{wanted!r} is not on the screen:\n" + "\n".join(seen)
        time.sleep(1)
