#!/usr/bin/env python3
"""Makes docs/screenshot.png: the screen of a PC with UEFI's framebuffer after a short session. After `./dev image`.

    screenshot.py [--image build/bulkhead.img] [--output docs/screenshot.png]
"""
import argparse
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import emulator  # noqa: E402

TICKS = 20_000_000_000
GUEST, HOST = "bulkhead-guest:~# ", "bulkhead> "
# What is typed, and what ends its answer.
SESSION = [("uname -a\r", GUEST), ("free -m\r", GUEST), ("\x1d", HOST), ("list\r", HOST), ("console hello\r", "9 seconds"),
           ("\x1d", HOST), ("help\r", HOST), ("log\r", HOST)]
SETTLE = 20_000_000
SECONDS = 60


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--image", default="build/bulkhead.img")
    parser.add_argument("--output", default="docs/screenshot.png")
    options = parser.parse_args()
    with emulator.Emulator(emulator.Options(image=options.image, cpus=2, memory=1024, display="x"), slot=True) as pc:
        pc.wait_for(GUEST, ticks=TICKS)
        for text, end in SESSION:
            pc.pump(0)
            pc.seek(len(pc.output))
            pc.type(text)
            pc.wait_for(re.compile(re.escape(end.encode())), ticks=TICKS)
        drawn = pc.ticks() + SETTLE
        deadline = time.monotonic() + SECONDS
        while pc.ticks() < drawn and pc.running and time.monotonic() < deadline:
            pc.pump(0.05)
        pc.screenshot(options.output)


if __name__ == "__main__":
    try:
        main()
    except emulator.EmulatorError as problem:
        sys.exit(f"screenshot: {problem}")
