"""A boot of the real image in an emulated PC that many tests ask questions of.

Owns the making of image variants, the starting and ending of boots, and what a failed test shows. Which test uses which
boot is conftest.py's business; how an emulator runs is tools/emulator.py's.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import emulator
import mkimage

BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()
GUEST_PROMPT = "bulkhead-guest:~# "
HOST_PROMPT = "bulkhead> "
TO_HOST = "\x1d"
# What a boot may need: emulated ticks bound it on every PC alike, host seconds catch an emulator that hangs.
BOOT_TICKS = 20_000_000_000
BOOT_SECONDS = 400
TERMINAL_COLUMNS = 80
ESCAPE_SEQUENCE = re.compile(r"\x1b(\[[0-9;?=]*[A-Za-z]|[()][A-Z0-9]|[=>78])")



def guest_programs(*names):
    """For the argument "add": guests of guests/test/."""
    return tuple(f"{BUILD}/{name}.bin=test/{name}.bin" for name in names)


def linux_vm(vcpus, more=""):
    """A VM with Debian's kernel, for a manifest."""
    return f"""
[[vm]]
name    = "linux"
kernel  = "linux/vmlinuz"
initrd  = "linux/initrd"
cmdline = "console=ttyS0 quiet"
memory  = "256M"
vcpus   = {vcpus}
{more}"""


# Arguments of a boot, other than the fields of emulator.Options, and what they mean:
IMAGE_DEFAULTS = {
    "manifest": None,     # text of bulkhead.toml; None: the default one; "": none on the volume
    "add": (),            # "SOURCE=PATH" pairs; SOURCE relative to the repository
    "files": (),          # (PATH, text or bytes) pairs to put on the volume
    "without": (),        # patterns of PATHs to leave out
    "changed": (),        # (PATH, text or bytes) pairs written to the finished disk image, as a user does; None: removed
    "cmdline": None,      # bulkhead/cmdline.txt
    "grub_uefi": False,   # GRUB on UEFI
    "iso": False,         # the ISO instead of the disk image
    "linux": True,        # False: no linux/ on the volume (boots faster)
    "devices": False,     # linux/initrd is the one with drivers of virtio devices and tools for them (guests/linux/devices.py)
}


def boot_key(arguments):
    """A short name that is equal for equal arguments."""
    def plain(value):
        return value.hex() if isinstance(value, bytes) else str(value)
    return hashlib.sha256(json.dumps(arguments, sort_keys=True, default=plain).encode()).hexdigest()[:10]


def volume_of(image):
    """The boot volume of a disk image, as mtools name it."""
    return f"{image}@@{mkimage.PARTITION_SECTOR * mkimage.SECTOR}"


def change_volume(image, place, content, source):
    """Writes or (content None) removes bulkhead/PLACE with the means of any PC; source: where the content may lie meanwhile."""
    volume = volume_of(image)
    if content is None:
        subprocess.run(["mdel", "-i", volume, f"::/bulkhead/{place}"], check=True)
        return
    source.write_bytes(content.encode() if isinstance(content, str) else content)
    folders = [str(folder) for folder in reversed(Path(place).parents[:-1])]
    for folder in folders:
        if subprocess.run(["mdir", "-i", volume, f"::/bulkhead/{folder}"], capture_output=True).returncode != 0:
            subprocess.run(["mmd", "-i", volume, f"::/bulkhead/{folder}"], check=True)
    subprocess.run(["mcopy", "-o", "-i", volume, str(source), f"::/bulkhead/{place}"], check=True)


class Images:
    """Makes each variant of the boot volume once a session."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="bulkhead-images-")
        self._made = {}

    def close(self):
        self._folder.cleanup()

    def contents(self, arguments):
        """What lies below bulkhead/ of a variant, read from the volume itself: {path: bytes}."""
        path = self.image(arguments)
        with tempfile.TemporaryDirectory() as folder:
            if arguments.get("iso"):
                words = ["xorriso", "-osirrox", "on", "-indev", str(path), "-extract", "/bulkhead", f"{folder}/bulkhead"]
            else:
                words = ["mcopy", "-s", "-n", "-i", volume_of(path), "::/bulkhead", folder]
            subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
            root = Path(folder, "bulkhead")
            return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}

    def image(self, arguments):
        wanted = {name: arguments.get(name, default) for name, default in IMAGE_DEFAULTS.items()}
        key = boot_key(wanted)
        if key not in self._made:
            self._made[key] = self._make(key, wanted)
        return self._made[key]

    def _make(self, key, wanted):
        folder = Path(self._folder.name, key)
        folder.mkdir(exist_ok=True)
        words = ["--build", str(BUILD)]
        if wanted["manifest"] == "":
            words += ["--manifest", ""]
        elif wanted["manifest"] is not None:
            path = folder / "bulkhead.toml"
            path.write_text(wanted["manifest"])
            words += ["--manifest", str(path)]
        for number, (place, content) in enumerate(wanted["files"]):
            path = folder / f"file-{number}"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            words += ["--add", f"{path}={place}"]
        for pair in wanted["add"]:
            source, _, place = pair.partition("=")
            words += ["--add", f"{(ROOT / source).resolve()}={place}"]
        for pattern in wanted["without"]:
            words += ["--without", pattern]
        if wanted["cmdline"] is not None:
            words += ["--cmdline", wanted["cmdline"]]
        if wanted["grub_uefi"]:
            words.append("--grub-uefi")
        if not wanted["linux"]:
            words += ["--linux", ""]
        words += ["--initrd", "initrd-devices" if wanted["devices"] else "initrd.gz"]
        words += ["--iso" if wanted["iso"] else "--output", str(folder / "volume")]
        image = mkimage.make_image(mkimage.parse_arguments(words))
        for number, (place, content) in enumerate(wanted["changed"]):
            change_volume(image, place, content, folder / f"change-{number}")
        return image


class Boot:
    """One PC, switched on when first asked something. All waiting is bounded."""

    def __init__(self, images, arguments):
        self.arguments = arguments
        self._images = images
        self._pc = None
        self._broken = None
        self._log = None

    @property
    def pc(self):
        if self._broken:
            raise emulator.WaitFailed(f"this boot has already failed: {self._broken}")
        if self._pc is None:
            options = {name: value for name, value in self.arguments.items() if name not in IMAGE_DEFAULTS}
            options["cdrom" if self.arguments.get("iso") else "image"] = str(self._images.image(self.arguments))
            self._pc = emulator.Emulator(emulator.Options(**options), slot=True)
            try:
                self._pc.start()
            except BaseException as problem:
                self._broken = str(problem)
                self._pc.stop()
                raise
        return self._pc

    def close(self):
        if self._pc:
            self._pc.stop()

    # --- Asking

    def wait_for(self, pattern, ticks=BOOT_TICKS, seconds=BOOT_SECONDS):
        """Waits for a text (str) or a regex (re.compile(b"...")) on the serial port, after what was last found."""
        return self.pc.wait_for(pattern, ticks, seconds)

    def type(self, text):
        self.pc.type(text)

    def text(self):
        """All of the serial output so far, without escape sequences."""
        self.pc.pump(0)
        return ESCAPE_SEQUENCE.sub("", self.pc.text())

    def shows(self, pattern, ticks=BOOT_TICKS, seconds=BOOT_SECONDS):
        """Waits until the pattern (str: that text; else a compiled regex of bytes) is anywhere in the output, seen before
        or not; returns the match."""
        pc = self.pc
        before = pc.seek(0)
        try:
            return pc.wait_for(pattern, ticks, seconds)
        finally:
            pc.seek(max(before, pc.seek(0)))

    def guest_prompt(self):
        """Waits for the Linux guest's first prompt."""
        return self.shows(GUEST_PROMPT)

    def ask_guest(self, command, ticks=BOOT_TICKS, seconds=BOOT_SECONDS):
        """Types a command at the Linux guest's prompt and returns what it printed."""
        self.guest_prompt()
        return self._ask(command, GUEST_PROMPT, ticks, seconds)

    def log_once(self, first, last):
        """Bulkhead's log once the terminal shown has said `first`, and then `last` has been told; asked for once. Leaves the
        terminal at the prompt."""
        if self._log is None:
            self.wait_for(first)
            self.to_host()
            self.shows(last)
            self._log = self.ask_host("log")
        return self._log

    def states(self):
        """{VM: its line of `list`}; the terminal is at the prompt."""
        return {line.split()[0]: line for line in self.ask_host("list").splitlines() if line.split()}

    def contents(self):
        """The files below bulkhead/ on this PC's boot volume: {path: bytes}."""
        return self._images.contents(self.arguments)

    def to_host(self):
        """Leads the terminal to Bulkhead's prompt (a first Ctrl-] from a VM's terminal)."""
        self.pc.seek(len(self.pc.output))
        self.type(TO_HOST)
        self.wait_for(HOST_PROMPT)

    def at_host(self):
        """As to_host, from anywhere: at the prompt too. A VM that is shown gets the return key."""
        self.type("\r")
        self.to_host()

    def console_of(self, name):
        """Leads the terminal to that VM's, from anywhere."""
        self.at_host()
        self.type(f"console {name}\r")
        self.wait_for(f"[{name}: Ctrl-] returns to Bulkhead's prompt]")

    def ask_host(self, command, ticks=BOOT_TICKS, seconds=BOOT_SECONDS):
        """Types a command at Bulkhead's prompt, where the terminal must be, and returns what it printed."""
        self.pc.seek(len(self.pc.output))
        self.type(command + "\r")
        # Notices draw the prompt again: the answer is what comes behind the echo.
        start = self.wait_for(re.compile(re.escape(command.encode()) + rb"[^\r\n]*\r?\n"), ticks, seconds).end()
        end = self.wait_for(HOST_PROMPT, ticks, seconds).start()
        return ESCAPE_SEQUENCE.sub("", bytes(self.pc.output[start:end]).decode("utf-8", "replace")).replace("\r", "").strip("\n")

    def _ask(self, command, prompt, ticks, seconds):
        self.pc.pump(0)
        # From behind the prompt on: an escape sequence that belongs to it may still be under way.
        start = self.pc.output.rfind(prompt.encode()) + len(prompt)
        self.pc.seek(start)
        self.type(command + "\r")
        self.wait_for(prompt, ticks, seconds)
        text = ESCAPE_SEQUENCE.sub("", bytes(self.pc.output[start:]).decode("utf-8", "replace")).replace("\r", "")
        # The echo is on one line, or on several where the line was full.
        echo_lines = 1 + (len(prompt) + len(command)) // TERMINAL_COLUMNS
        *echo, answer = text.split("\n", echo_lines)
        if "".join(echo).split() != command.split():
            raise emulator.WaitFailed(f"typed was {command!r}, but what came back is {echo!r}")
        return answer.rsplit(prompt, 1)[0].strip("\n")

    def power_off(self, seconds=120):
        """Types `poweroff` at Bulkhead's prompt and waits until the PC is off."""
        self.type("poweroff\r")
        self.wait_end(seconds)

    def wait_end(self, seconds=BOOT_SECONDS):
        self.pc.wait_end(seconds)

    @property
    def running(self):
        return self.pc.running

    def ticks(self):
        """Emulated ticks since power-on, to about 200,000 (Bochs)."""
        return self.pc.ticks()

    def report(self):
        """What a failed test shows: the serial port's last 60 lines, and what the emulator complained about."""
        if not self._pc:
            return "(this PC was never switched on)"
        lines = ESCAPE_SEQUENCE.sub("", self._pc.text()).splitlines()[-60:]
        return "\n".join([*lines, self._pc.problems(), f"({self._pc.ticks():,} ticks; {str(self.arguments):.2000})"])
