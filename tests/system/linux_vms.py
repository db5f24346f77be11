"""Several Linux guests on one emulated PC, each asked at its own terminal.

Owns the manifest entries of such VMs, which terminal is shown, and how an answer is told from what else a terminal shows. The
guests have the kernel's drivers of virtio devices and tools for them (guests/linux/devices.py) where a boot says devices=True.
"""
import array
import re

import emulator
import harness
import pytest

COMMAND_TICKS = 4_000_000_000
# Only against an emulator that hangs: several kernels boot at once.
HOST_SECONDS = 800


def vm(name, more="", vcpus=1, memory="128M", cmdline=""):
    """A VM with Debian's kernel, for a manifest; more: further lines of it."""
    return f"""
[[vm]]
name    = "{name}"
kernel  = "linux/vmlinuz"
initrd  = "linux/initrd"
cmdline = "console=ttyS0 quiet {cmdline}"
memory  = "{memory}"
vcpus   = {vcpus}
{more}"""


def pattern(count_bytes, state):
    """What the program of that name writes (guests/linux/pattern.c)."""
    words = array.array("I", bytes(count_bytes))
    for i in range(len(words)):
        words[i] = state = (state * 1664525 + 1013904223) & 0xffffffff
    return words.tobytes()


class LinuxVms:
    """The Linux guests of a boot. Every wait is bounded by the PC's ticks.

    A command is typed between two words that hold a number of their own, which no echo and no repeated screen contains."""

    def __init__(self, boot):
        self.boot = boot
        self._shown = None
        self._count = 0

    def show(self, name):
        """Leads the terminal to that VM's, if it is not shown."""
        if self._shown != name:
            self.boot.console_of(name)
            self._shown = name

    def at_host(self, command):
        """What Bulkhead's prompt answers."""
        if self._shown:
            self.boot.at_host()
            self._shown = None
        return self.boot.ask_host(command)

    def ready(self, *names, ticks=harness.BOOT_TICKS):
        """Waits until each has its first prompt; the first VM of the manifest is shown from the start."""
        self.boot.shows(harness.GUEST_PROMPT, ticks, HOST_SECONDS)
        for name in names:
            self.show(name)
            self.boot.wait_for(harness.GUEST_PROMPT, ticks, HOST_SECONDS)

    def answer(self, name, command, ticks=COMMAND_TICKS):
        """Types a command at a VM's prompt; returns its status and what it printed."""
        self.show(name)
        self._count += 1
        number = self._count
        self.boot.pc.pump(0)
        self.boot.pc.seek(len(self.boot.pc.output))
        self.boot.type(f"echo '<'{number}'>'; {command}; echo '<'$?' '{number}'>'\r")
        start = self.boot.wait_for(re.compile(rb"<%d>\r*\n" % number), ticks, HOST_SECONDS).end()
        end = self.boot.wait_for(re.compile(rb"<(\d+) %d>\r*\n" % number), ticks, HOST_SECONDS)
        text = bytes(self.boot.pc.output[start:end.start()]).decode("utf-8", "replace").replace("\r", "")
        return int(end.group(1)), harness.ESCAPE_SEQUENCE.sub("", text).strip("\n")

    def ask(self, name, command, ticks=COMMAND_TICKS):
        """As answer(), for commands that must succeed: what was printed."""
        status, text = self.answer(name, command, ticks)
        if status != 0:
            raise emulator.WaitFailed(f"{name}: {command!r} ended with status {status}:\n{text}")
        return text

    def begin(self, name, command):
        """Starts a command in the background of a VM's shell; returns what end_of() takes."""
        self._count += 1
        job = f"/tmp/job{self._count}"
        self.ask(name, f"({command}; echo $? >{job}.ended) >{job} 2>&1 & true")
        return name, job

    def end_of(self, job, ticks=COMMAND_TICKS):
        """Waits for a command that begin() started; returns what it printed."""
        name, path = job
        self.ask(name, f"while [ ! -s {path}.ended ]; do sleep 0.1; done", ticks)
        return self.ask(name, f"cat {path}; (exit $(cat {path}.ended))")

    def reboot(self, name, ticks=harness.BOOT_TICKS):
        """`reboot` in a VM that its manifest restarts; waits for the next prompt."""
        self.show(name)
        self.boot.type("reboot\r")
        self.boot.wait_for("reboot: Restarting system", ticks, HOST_SECONDS)
        self.boot.wait_for(harness.GUEST_PROMPT, ticks, HOST_SECONDS)


def linux_fixture(*names, prepare=None):
    """For `linux = linux_fixture("one", "two")` in a file of tests: the guests of its boot, once all of these have their first
    prompt. prepare: called with them then."""
    kept = {}

    @pytest.fixture
    def linux(boot):
        if kept.get("boot") is not boot:
            kept["boot"], kept["linux"] = boot, LinuxVms(boot)
            kept["linux"].ready(*names)
            if prepare:
                prepare(kept["linux"])
        return kept["linux"]
    return linux
