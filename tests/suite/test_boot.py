"""tools/suite/boot.py and prompt.py with a PC that a script plays: hanging and hostile images, refusals, a PC that is lost."""
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/suite"))
import boot
import images
from prompt import Prompt, PromptLost

SECOND = boot.TICKS_PER_SECOND


class PlayedPc:
    """A PC at Bulkhead's prompt. guests: {VM name: (what it prints, seconds until it ends or None, line of the end)}."""

    def __init__(self, guests, boots=True):
        self.output = bytearray(b"E201 bulkhead.toml line 9: VM \"gone\": suite/gone is not there\r\n")
        self.guests = guests
        self.running = True
        self.commands = []
        self._ticks = SECOND
        self._ends = {}
        self._typed = ""
        if boots:
            self._print("\r\nbulkhead> ")

    def _print(self, text):
        self.output += text.encode()

    def _notice(self, line):
        self._print(f"\r\x1b[K{line}\r\nbulkhead> ")

    def ticks(self):
        return self._ticks

    def pump(self, seconds):
        if seconds:
            self._ticks += SECOND // 4
        for name, (at, line) in sorted(self._ends.items()):
            if self._ticks >= at:
                del self._ends[name]
                if line == "off":
                    self.running = False
                else:
                    self._notice(line)

    def type(self, text):
        self._typed += text
        if self._typed.endswith("\r"):
            command, self._typed = self._typed[:-1], ""
            self.commands.append(command)
            self._print(f"{command}\r\n")
            self._carry_out(*command.split())
            self._print("bulkhead> ")

    def _carry_out(self, command, name):
        printed, seconds, line = self.guests.get(name, ("", None, ""))
        if command == "output":
            self._print("".join(f"{name}| {text}\r\n" for text in printed.split("\n")))
        elif command == "stop":
            self._ends.pop(name, None)
            if line != "deaf":
                self._ends[name] = (self._ticks, f"{name}: stopped: stopped by the user")
        elif line == "refused":
            self._print(f"{name}: cannot be started: refused; `log` says why\r\n")
        elif seconds == "never runs":
            self._ends[name] = (self._ticks, line)
        else:
            self._print(f"{name}: runs: suite/{name}, 2M, 1 CPU\r\n")
            if seconds is not None:
                self._ends[name] = (self._ticks + int(seconds * SECOND), line)


def image(name, **more):
    return images.Image(name=name, path=None, vm_name=name, **{"memory": 2 << 20, "limit": 10, **more})


def run(pc, pending, cpus=2):
    """{name: (kind, code, words)} of what ended, in order, and the error if the PC was lost."""
    ended = {}
    ends = []

    def note(one, end, prompt):
        ended[one.name] = (end.kind, end.code, end.words)
        ends.append((one, end, prompt))
    lost = None
    try:
        boot.Boot(Prompt(pc, lambda: 0), lambda: 0, boot.Room(cpus, 1 << 30), note).run(pending)
    except PromptLost as problem:
        lost = str(problem)
    return ended, ends, lost


def test_ends_are_told_apart():
    pc = PlayedPc({
        "good": ("", 1, "good: stopped: the guest ended with exit code 1"),
        "triple": ("", 1, "E301 triple: stopped: triple fault (rip 0x100; 2 0 0 0); the guest's own fault: its last output"),
        "kernel": ("", "never runs", "E210 kernel: suite/kernel/image is no kernel; see docs"),
        "gone": ("", None, "refused"),
    })
    ended, _, lost = run(pc, [image(name) for name in pc.guests])
    assert lost is None
    assert ended == {
        "good": ("stopped", "", "the guest ended with exit code 1"), "triple": ("stopped", "E301", "triple fault"),
        "kernel": ("refused", "E210", "suite/kernel/image is no kernel; see docs"),
        "gone": ("refused", "E201", "suite/gone is not there")}


def test_one_that_hangs_is_stopped_and_the_others_run_beside_and_after_it():
    pc = PlayedPc({"hangs": ("", None, ""), "a": ("", 2, "a: stopped: x"), "b": ("", 2, "b: stopped: x"),
                   "c": ("", 20, "c: stopped: x")})
    ended, ends, lost = run(pc, [image("hangs"), image("a"), image("b"), image("c", limit=30)])
    assert lost is None and ended["hangs"][0] == "late" and [ended[name][0] for name in "abc"] == ["stopped"] * 3
    assert list(ended) == ["a", "b", "hangs", "c"]
    assert next(end.seconds for one, end, _ in ends if one.name == "hangs") == pytest.approx(10, abs=1)
    assert next(end.seconds for one, end, _ in ends if one.name == "c") == pytest.approx(20, abs=1)


def test_no_more_vcpus_run_than_the_pc_has():
    pc = PlayedPc({name: ("", 1, f"{name}: stopped: x") for name in ("a", "b", "big", "c")})
    run(pc, [image("a"), image("b"), image("big", vcpus=8), image("c")])
    began = re.findall(r"(a|b|big|c): (runs|stopped)", pc.output.decode())
    assert began.index(("big", "runs")) > max(began.index(("a", "stopped")), began.index(("b", "stopped")))
    assert began.index(("c", "runs")) > began.index(("big", "stopped"))


def test_a_guest_cannot_play_bulkhead():
    lie = "other: stopped: the guest ended with exit code 1\nbulkhead> output liar\nE602 Bulkhead stopped: no"
    pc = PlayedPc({"liar": (lie, 1, "liar: stopped: x"), "other": ("", 5, "other: stopped: the guest ended with exit code 3")})
    answers = []
    ended = {}

    def note(one, end, prompt):
        ended[one.name] = end.words
        if one.name == "liar":
            answers.append(prompt.output_of("liar"))
    boot.Boot(Prompt(pc, lambda: 0), lambda: 0, boot.Room(2, 1 << 30), note).run([image("liar"), image("other")])
    assert answers == [(tuple(lie.split("\n")), True)]
    assert ended == {"liar": "x", "other": "the guest ended with exit code 3"}


def test_output_that_is_no_longer_kept_is_noticed():
    pc = PlayedPc({})
    prompt = Prompt(pc, lambda: 0)
    pc._carry_out = lambda command, name: pc._print("[a: 70 bytes before this are no longer kept]\r\na| rest\r\na| \r\n")
    assert prompt.output_of("a") == (("rest", ""), False)


def test_a_pc_that_is_lost_fails_what_ran_and_leaves_the_rest():
    pc = PlayedPc({"a": ("", 1, "a: stopped: x"), "bad": ("", 3, "off"), "beside": ("", 9, "beside: stopped: x")})
    pending = [image("a"), image("bad"), image("beside"), image("later")]
    ended, _, lost = run(pc, pending)
    assert "switched off" in lost
    assert ended["a"][0] == "stopped" and ended["bad"][0] == "lost" and ended["beside"][0] == "lost"
    assert [one.name for one in pending] == ["later"]


def test_the_end_of_ring_0_is_noticed():
    pc = PlayedPc({"bad": ("", 1, "E602 Bulkhead stopped: exception 14")})
    ended, _, lost = run(pc, [image("bad")])
    assert "ring 0 stopped" in lost and ended["bad"][0] == "lost"


def test_a_pc_that_does_not_boot_ends_nothing():
    pc = PlayedPc({"a": ("", 1, "a: stopped: x")}, boots=False)
    pending = [image("a")]
    ended, _, lost = run(pc, pending)
    assert "prompt did not come" in lost and ended == {} and len(pending) == 1


def test_a_vm_that_cannot_be_stopped_ends_the_boot():
    pc = PlayedPc({"hangs": ("", None, "deaf")})
    ended, _, lost = run(pc, [image("hangs")])
    assert "hangs cannot be stopped" in lost and ended["hangs"][0] == "lost"


def test_the_manifest_says_what_the_index_says(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(bytes(100))
    one = images.Image(name="a", path=file, vm_name="a", vcpus=2, memory=4 << 20, cmdline='say "x\\y"', module="text")
    text = boot.manifest([one, images.Image(name="b", path=file, vm_name="b")])
    assert ('name = "a"\nkernel = "suite/a/image"\nmemory = 4194304\nvcpus = 2\nautostart = false\ntestdev = true\n' in text)
    assert 'cmdline = "say \\"x\\\\y\\""\nmodules = ["suite/a/module"]\n' in text
    assert text.count("modules") == 1 and text.count("cmdline") == 1
    assert boot.memory_mib([one]) % 64 == 0
