"""One boot of the hypervisor with many images: the VMs are off at the boot, and each is started when there is room for it.

Owns the manifest, the order of starts, time limits and what becomes of images when the PC is lost. Pure but for the PC that it is
given: the unit tests play one.
"""
import re

from prompt import Guard, PromptLost
from verdict import End

TICKS_PER_SECOND = 200_000_000
VMS_MAX = 64                       # of a manifest
START_SECONDS = 60                 # of the PC, for an image to be loaded
STOP_SECONDS = 10
STILL_SECONDS = 240                # of the host, in which the PC's clock stands still
PC_OWN_BYTES = 320 << 20           # hypervisor, firmware, loader
VM_OWN_BYTES = 16 << 20            # of each VM that runs
STOPPED = re.compile(r"(?:(E\d{3}) )?(\S+): stopped: (.*)$")
RUNS = re.compile(r"(\S+): runs: ")
REFUSED = re.compile(r"(E\d{3}) (.*)$")
NUMBERS = re.compile(r" \(rip 0x.*$")


def quoted(text):
    """A TOML string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def place_of(image):
    return f"suite/{image.vm_name}/image"


def module_place(image):
    return f"suite/{image.vm_name}/module"


def manifest(images):
    parts = ['[host]\nconsole = ["serial"]\n']
    for image in images:
        parts.append(f'\n[[vm]]\nname = "{image.vm_name}"\nkernel = "{place_of(image)}"\nmemory = {image.memory}\n'
                     f"vcpus = {image.vcpus}\nautostart = false\ntestdev = true\n"
                     + (f"cmdline = {quoted(image.cmdline)}\n" if image.cmdline is not None else "")
                     + (f'modules = ["{module_place(image)}"]\n' if image.module is not None else ""))
    return "".join(parts)


def memory_mib(images):
    """Of the PC: the largest of these VMs, room for some of the others beside it, and all files."""
    files = sum(image.path.stat().st_size for image in images)
    largest = max(image.memory for image in images)
    needed = PC_OWN_BYTES + 2 * files + largest + max(largest, 256 << 20)
    return max(1024, -(-needed // (64 << 20)) * 64)


class Room:
    """What of the PC is left for more VMs."""

    def __init__(self, cpus, memory_bytes):
        self.cpus = cpus
        self.memory_bytes = memory_bytes
        self._running = {}

    def fits(self, image):
        """A VM that wants more than the PC has runs alone."""
        if not self._running:
            return True
        used = sum(other.vcpus for other in self._running.values())
        memory = sum(other.memory + VM_OWN_BYTES for other in self._running.values())
        return used + image.vcpus <= self.cpus and memory + image.memory + VM_OWN_BYTES <= self.memory_bytes

    def take(self, image):
        self._running[image.vm_name] = image

    def give_back(self, image):
        self._running.pop(image.vm_name, None)


class Started:
    """A VM on its way."""

    def __init__(self, image, now):
        self.image = image
        self.asked_at = now
        self.runs_since = None
        self.stop_asked_at = None

    def seconds(self, now):
        return now - (self.asked_at if self.runs_since is None else self.runs_since)


class Boot:
    """Runs images on one PC. `ended(image, end)` is called for each that ended, in the order of their ends."""

    def __init__(self, prompt, clock, room, ended):
        self._prompt = prompt
        self._clock = clock
        self._room = room
        self._ended = ended
        self._cursor = 0
        self._started = {}
        self._why_refused = {}

    def now(self):
        """Seconds of the PC; of the host, where the PC counts none."""
        ticks = self._prompt.pc.ticks()
        return ticks / TICKS_PER_SECOND if ticks else self._clock()

    def run(self, pending):
        """Takes images from `pending` until all have ended. Where the PC is lost, those that ran have ended, too, and the others
        are left in `pending`; raises PromptLost then."""
        guard = Guard(self._prompt.pc, self._clock, STILL_SECONDS)
        try:
            self._prompt.wait(self._prompt.is_ready, "Bulkhead's prompt")
            while pending or self._started:
                while pending and self._room.fits(pending[0]):
                    self._start(pending)
                self._prompt.pump(0.05)
                self._prompt.check()
                if self.now() and self._prompt.pc.ticks() and guard.stands_still():
                    raise PromptLost("the PC stands still")
                self._look()
        except PromptLost as lost:
            self._look_at_last_lines()
            for started in list(self._started.values()):
                self._end(started, End("lost", words=f"{lost} while it ran"), ask=False)
            raise

    def _start(self, pending):
        image = pending.pop(0)
        self._started[image.vm_name] = Started(image, self.now())
        self._room.take(image)
        answer = self._prompt.ask(f"start {image.vm_name}")
        for line in answer:
            if line.startswith(f"{image.vm_name}: cannot be started"):
                self._look_at_lines()
                self._refuse(image.vm_name, *self._why_refused.get(image.vm_name, ("", line.split(": ", 1)[1])))
        self._look_at_lines()

    def _refuse(self, name, code, words):
        started = self._started.get(name)
        if started is not None:
            self._end(started, End("refused", words=words, code=code), ask=False)

    def _look(self):
        self._look_at_lines()
        for started in list(self._started.values()):
            self._look_at_time(started)

    def _look_at_lines(self):
        while self._cursor < len(self._prompt.lines):
            line = self._prompt.lines[self._cursor]
            self._cursor += 1
            self._look_at_line(line)

    def _look_at_last_lines(self):
        """Of a PC that is lost: nothing can be asked for."""
        while self._cursor < len(self._prompt.lines):
            try:
                self._look_at_lines()
            except PromptLost:
                continue

    def _look_at_line(self, line):
        found = RUNS.match(line)
        if found and found[1] in self._started:
            self._started[found[1]].runs_since = self.now()
            return
        found = STOPPED.match(line)
        if found and found[2] in self._started:
            self._stopped(self._started[found[2]], found[1] or "", NUMBERS.sub("", found[3]))
            return
        found = REFUSED.match(line)
        if found:
            self._note_refusal(found[1], found[2])

    def _note_refusal(self, code, words):
        """Of a manifest's check ('... VM "name": ...') or of a VMM ('name: ...')."""
        named = re.search(r'VM "(\S+)": (.*)', words) or re.match(r"(\S+): (.*)", words)
        if not named:
            return
        self._why_refused.setdefault(named[1], (code, named[2]))
        if named[1] in self._started and self._started[named[1]].runs_since is None:
            self._refuse(named[1], code, named[2])

    def _stopped(self, started, code, words):
        if started.stop_asked_at is not None:
            self._end(started, End("late"))
        else:
            self._end(started, End("stopped", words=words, code=code))

    def _look_at_time(self, started):
        now = self.now()
        if started.stop_asked_at is not None:
            if now - started.stop_asked_at > STOP_SECONDS:
                raise PromptLost(f"{started.image.vm_name} cannot be stopped")
        elif started.runs_since is None:
            if now - started.asked_at > START_SECONDS:
                self._prompt.ask(f"stop {started.image.vm_name}")
                self._refuse(started.image.vm_name, "", "it was not loaded in time")
        elif now - started.runs_since > started.image.limit:
            started.stop_asked_at = now
            self._prompt.ask(f"stop {started.image.vm_name}")

    def _end(self, started, end, ask=True):
        """ask: what it printed can be asked for."""
        image = started.image
        del self._started[image.vm_name]
        self._room.give_back(image)
        end.seconds = started.seconds(self.now())
        self._ended(image, end, self._prompt if ask else None)
