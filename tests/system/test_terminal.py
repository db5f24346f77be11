"""`./dev run` at a terminal (tools/terminal.py on a pseudo-terminal): what it says first, the keys, and that however it ends, no
emulator stays behind."""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import harness
import mkimage
import pytest
from harness import emulator

SECONDS = 240
END = "\x1c"
MANIFEST = '[[vm]]\nname = "hello"\nkernel = "hello/hello.bin"\nmemory = "16M"\n'


class Terminal:
    """tools/terminal.py with a terminal of its own; needs no VT-x, so QEMU."""

    def __init__(self, folder):
        self.master, slave = pty.openpty()
        self.output = b""
        words = [sys.executable, str(harness.ROOT / "tools/terminal.py"), "--machine", "qemu", "--firmware", "bios",
                 "--memory", "256", "--cpus", "1", "--build", str(harness.BUILD), "--from", str(folder), "--manifest", "mine.toml",
                 "--add", "words.txt=hello/words.txt"]
        self.process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, cwd=folder)
        os.close(slave)

    def wait_for(self, text):
        deadline = time.monotonic() + SECONDS
        while text.encode() not in self.output:
            assert time.monotonic() < deadline, self.output[-2000:]
            if select.select([self.master], [], [], 0.5)[0]:
                self.output += os.read(self.master, 65536)

    def type(self, text):
        self.output = b""
        os.write(self.master, text.encode())

    def emulators(self):
        number = self.process.pid
        with open(f"/proc/{number}/task/{number}/children", encoding="utf-8") as file:
            return [int(word) for word in file.read().split()]

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def runs(number):
    """Whether that process is there and no zombie."""
    try:
        with open(f"/proc/{number}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_ended(numbers):
    deadline = time.monotonic() + SECONDS
    while any(runs(number) for number in numbers):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def volume_file(path):
    """What that file of the last run's boot volume holds."""
    words = ["mtype", "-i", f"{harness.BUILD}/bulkhead.img@@{mkimage.PARTITION_SECTOR * mkimage.SECTOR}", f"::bulkhead/{path}"]
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"}).stdout


@pytest.fixture
def terminal(boots, tmp_path):
    boots.end()
    (tmp_path / "mine.toml").write_text(MANIFEST)
    (tmp_path / "words.txt").write_text("a file of the user's\n")
    place = emulator.cache.Slot()
    try:
        made = Terminal(tmp_path)
        try:
            yield made
        finally:
            made.close()
            os.close(made.master)
    finally:
        place.release()


def test_first_line_says_how_to_leave_and_the_prompt_answers(terminal):
    terminal.wait_for("bulkhead> ")
    first = terminal.output.decode().splitlines()[0]
    assert re.search(r"Ctrl-\] leads to Bulkhead's prompt .*Ctrl-\\ ends the emulator", first)
    assert volume_file("bulkhead.toml") == MANIFEST
    assert volume_file("hello/words.txt") == "a file of the user's\n"
    terminal.type("help\r")
    terminal.wait_for("stops the VMs in order and switches the PC off")
    terminal.type("poweroff\r")
    terminal.wait_for("The PC is switched off.")
    assert terminal.process.wait(SECONDS) == 0


@pytest.mark.parametrize("end", ["key", "hang-up", "terminate", "kill"])
def test_no_emulator_stays_behind(terminal, end):
    terminal.wait_for("bulkhead> ")
    running = terminal.emulators()
    assert running
    if end == "key":
        terminal.type(END)
        terminal.wait_for("The emulator is ended.")
    else:
        number = {"hang-up": signal.SIGHUP, "terminate": signal.SIGTERM, "kill": signal.SIGKILL}[end]
        os.kill(terminal.process.pid, number)
    terminal.process.wait(SECONDS)
    assert all_ended(running)
