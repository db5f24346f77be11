#!/usr/bin/env python3
"""`./dev run`: this terminal becomes the serial terminal of an emulated PC that boots Bulkhead.

Owns the terminal's raw mode, what of the firmware's output is hidden, and the check without a terminal. tools/emulator.py
owns the emulator, tools/mkimage.py the boot volume, which is made anew for each run. Ctrl-\\ ends the emulator; every other byte
goes through, Ctrl-] too: it leads to Bulkhead's prompt.
"""
import argparse
import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path

import mkimage
from emulator import Emulator, EmulatorError, Options, WaitFailed

END_BYTE = b"\x1c"
TO_PROMPT = "\x1d"
HOW_TO_LEAVE = "Ctrl-] leads to Bulkhead's prompt (help, list, console NAME, log, poweroff); Ctrl-\\ ends the emulator."
OUR_FIRST_OUTPUT = re.compile(rb"[^\n]*Bulkhead")
GUEST_PROMPT = "bulkhead-guest:~# "
HOST_PROMPT = "bulkhead> "
CHECK_SECONDS = 900
BANNER_SECONDS = 240
ESCAPE_SEQUENCE = re.compile(rb"\x1b\[[0-9;?=]*[A-Za-z]")


class FirmwareFilter:
    """Hides what UEFI firmware prints before Bulkhead does: it clears and resizes the terminal."""

    def __init__(self, write):
        self._write = write
        self._seen = bytearray()
        self._passing = False

    def take(self, piece):
        if self._passing:
            self._write(piece)
            return
        self._seen += piece
        found = OUR_FIRST_OUTPUT.search(self._seen)
        if found:
            self._passing = True
            self._write(bytes(self._seen[found.start():]))

    def hidden(self):
        """What was hidden, if Bulkhead never came: then it is the only clue."""
        return b"" if self._passing else ESCAPE_SEQUENCE.sub(b"", bytes(self._seen))


@contextlib.contextmanager
def raw_terminal(descriptor):
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        # A terminal that was closed cannot be restored.
        with contextlib.suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def write_all(piece):
    view = memoryview(piece)
    while view:
        view = view[os.write(1, view):]


def attach(emulator):
    """The terminal and the serial port are one until the PC switches off or the user ends it."""
    own_output = FirmwareFilter(write_all)
    emulator.on_output = own_output.take
    master = emulator.descriptor()
    with raw_terminal(0):
        while emulator.running:
            ready = select.select([0, master], [], [], 0.2)[0]
            if 0 in ready:
                typed = os.read(0, 1024)
                if not typed or END_BYTE in typed:
                    break
                with contextlib.suppress(WaitFailed):
                    emulator.type(typed, patience_seconds=1)
            emulator.pump(0)
        else:
            emulator.pump(0)
    return own_output.hidden()


def run_attached(options):
    print(HOW_TO_LEAVE, flush=True)
    slow = "" if options.machine == "kvm" else " The emulated PC needs about a minute to Linux's prompt."
    print(f"Starting ({options.machine}).{slow}", flush=True)
    with Emulator(options) as emulator:
        hidden = attach(emulator)
        switched_off = not emulator.running
        complaints = emulator.problems() if switched_off else ""
    if hidden:
        write_all(hidden)
    print(f"\r\n{'The PC is switched off.' if switched_off else 'The emulator is ended.'}")
    if complaints and hidden:
        print(complaints, file=sys.stderr)
    return 1 if hidden and switched_off else 0


def answer_to(emulator, command):
    """Types a command at the guest's prompt and returns what it printed."""
    start = len(emulator.output)
    emulator.type(command + "\r")
    emulator.wait_for(GUEST_PROMPT, seconds=CHECK_SECONDS)
    text = ESCAPE_SEQUENCE.sub(b"", bytes(emulator.output[start:])).decode("utf-8", "replace").replace("\r", "")
    return text.split("\n", 1)[-1].rsplit(GUEST_PROMPT, 1)[0].strip()


def run_check(options):
    print(f"Starting ({options.machine}); waiting for the Linux guest's prompt, at most {CHECK_SECONDS} s.", flush=True)
    started = time.monotonic()
    with Emulator(options) as emulator:
        try:
            emulator.wait_for(OUR_FIRST_OUTPUT, seconds=BANNER_SECONDS)
            emulator.wait_for(GUEST_PROMPT, seconds=CHECK_SECONDS)
            print(f"The guest's prompt came after {time.monotonic() - started:.0f} s.", flush=True)
            print(f"uname -a: {answer_to(emulator, 'uname -a')}", flush=True)
            emulator.type(TO_PROMPT)
            emulator.wait_for(HOST_PROMPT, seconds=60)
            emulator.type("poweroff\r")
            emulator.wait_end(120)
        except WaitFailed as problem:
            print(f"Failed: {problem}. The serial port's last lines:", file=sys.stderr)
            lines = ESCAPE_SEQUENCE.sub(b"", bytes(emulator.output)).decode("utf-8", "replace").splitlines()
            print("\n".join(lines[-40:]), file=sys.stderr)
            print(emulator.problems(), file=sys.stderr)
            return 1
    print(f"Powered off after {time.monotonic() - started:.0f} s.")
    return 0


def check_manifest(build, path):
    """Says what is wrong with a manifest before a minute is spent on its boot. Mistakes refuse only their VM: the run goes on."""
    answer = subprocess.run([str(build / "tools/check_manifest"), str(path)], stdin=subprocess.DEVNULL, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if answer.returncode != 0:
        print(answer.stdout, flush=True)


def make_volume(arguments):
    """The boot volume of this run, with the user's manifest and files on it."""
    words = ["--build", str(arguments.build), "--from", arguments.relative_to]
    if arguments.manifest:
        words += ["--manifest", arguments.manifest]
        check_manifest(arguments.build, Path(arguments.relative_to, arguments.manifest))
    for pair in arguments.add:
        words += ["--add", pair]
    return mkimage.make_image(mkimage.parse_arguments(words))


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev run", description="Runs Bulkhead in an emulated PC.")
    parser.add_argument("--manifest", metavar="FILE", help="the VMs to run (guests/bulkhead.toml); guests/examples has more")
    parser.add_argument("--add", action="append", default=[], metavar="SOURCE=PATH",
                        help="puts a file onto the boot volume; PATH is what the manifest calls it; may be repeated")
    parser.add_argument("--check", action="store_true", help="no terminal: wait for Linux, ask it uname -a, power off")
    parser.add_argument("--machine", default="bochs", help=argparse.SUPPRESS)
    parser.add_argument("--build", type=Path, default=Path("build"), help=argparse.SUPPRESS)
    parser.add_argument("--from", dest="relative_to", default=".", help=argparse.SUPPRESS)
    parser.add_argument("--firmware", choices=("uefi", "bios"), default="uefi")
    parser.add_argument("--cpu", help="CPU model")
    parser.add_argument("--cpus", type=int, default=2, help="number of CPUs (2)")
    parser.add_argument("--memory", type=int, default=1024, help="MiB of memory (1024)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    with_terminal = os.isatty(0) and os.isatty(1) and not arguments.check
    try:
        image = make_volume(arguments)
    except mkimage.ImageError as problem:
        print(f"./dev run: {problem}", file=sys.stderr)
        return 1
    options = Options(image=str(image), machine=arguments.machine, firmware=arguments.firmware, cpu=arguments.cpu,
                      cpus=arguments.cpus, memory=arguments.memory, realtime=with_terminal)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    try:
        return run_attached(options) if with_terminal else run_check(options)
    except EmulatorError as problem:
        print(f"./dev run: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as problem:
        # The terminal went away.
        return 143 if with_terminal else sys.exit(f"./dev run: {problem}")


if __name__ == "__main__":
    sys.exit(main())
