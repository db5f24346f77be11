"""Bulkhead's prompt on a PC's serial line, for a program: lines, commands and their answers.

Owns what is an own line of Bulkhead and what a guest printed: the command `output` puts "NAME| " before each line of a guest
(docs/console.md), and no VM's terminal is ever shown here, so no guest can play Bulkhead.
"""
import codecs
import re

PROMPT = "bulkhead> "
ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?=]*[A-Za-z]|[78]|\([A-Z0-9])|[\x0f\x18]")
ANSWER_TICKS = 4_000_000_000
ANSWER_SECONDS = 300      # of the host
LOST = re.compile(r"\[\S+: \d+ bytes before this are no longer kept\]$")
RING_0_STOPPED = re.compile(r"E602 Bulkhead stopped")


class PromptLost(Exception):
    """The PC or its prompt does not answer any more; says how."""


class Prompt:
    """pc: an emulator.Emulator that was started, or what looks like one: output, pump(), ticks(), running, type()."""

    def __init__(self, pc, clock):
        self.pc = pc
        self._clock = clock         # the host's, in seconds
        self.lines = []             # whole ones, without escape sequences
        self._taken = 0
        self._partial = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def pump(self, seconds):
        """Takes what the PC printed, waiting at most so long for the first byte."""
        self.pc.pump(seconds)
        piece = bytes(self.pc.output[self._taken:])
        if not piece:
            return
        self._taken += len(piece)
        *whole, self._partial = re.split(r"[\r\n]", self._partial + self._decoder.decode(piece))
        self.lines += [line for line in (ESCAPE_SEQUENCE.sub("", line) for line in whole) if line]

    def is_ready(self):
        """Whether the prompt waits for a command."""
        return ESCAPE_SEQUENCE.sub("", self._partial) == PROMPT

    def check(self):
        """Raises where nothing can come any more."""
        if any(RING_0_STOPPED.match(line) for line in self.lines[-100:]):
            raise PromptLost("ring 0 stopped: " + next(line for line in self.lines if RING_0_STOPPED.match(line)))
        if not self.pc.running:
            self.pc.pump(0)
            raise PromptLost("the PC switched off")

    def wait(self, is_there, what, ticks=ANSWER_TICKS, seconds=ANSWER_SECONDS):
        """Waits until is_there(): so many ticks of the PC at most, and of the host so many seconds without a tick."""
        last = self.pc.ticks() + ticks
        guard = Guard(self.pc, self._clock, seconds)
        while not is_there():
            self.check()
            if self.pc.ticks() > last or guard.stands_still():
                raise PromptLost(f"{what} did not come")
            self.pump(0.05)

    def ask(self, command):
        """Types a command; returns the lines of its answer, those that came meanwhile included."""
        self.wait(self.is_ready, "the prompt")
        mark = len(self.lines)
        self.pc.type(command + "\r")
        echo = PROMPT + command
        self.wait(lambda: echo in self.lines[mark:] and self.is_ready(), f"the answer to `{command}`")
        return self.lines[self.lines.index(echo, mark) + 1:]

    def output_of(self, name):
        """What a VM printed lately: lines, and whether that is all."""
        answer = self.ask(f"output {name}")
        mark = f"{name}| "
        printed = [line[len(mark):] for line in answer if (line + " ").startswith(mark)]
        return tuple(printed), not any(LOST.match(line) for line in answer)


class Guard:
    """Notes how long the PC's clock stands still by the host's; a PC that counts no ticks stands still all the time."""

    def __init__(self, pc, clock, seconds):
        self._pc, self._clock, self._seconds = pc, clock, seconds
        self._ticks = pc.ticks()
        self._since = clock()

    def stands_still(self):
        ticks = self._pc.ticks()
        if ticks != self._ticks:
            self._ticks, self._since = ticks, self._clock()
        return self._clock() - self._since > self._seconds
