#!/usr/bin/env python3
"""One emulated PC: Bochs (VT-x without VT-x), QEMU (fast, no VT-x) or QEMU on KVM (real, nested VT-x).

Owns how an emulator is started, bounded and ended, and the PC's serial port. Whatever way this process ends (also
kill -9), the emulator ends with it. Needs tools/bochs/fetch.py once for Bochs. As a program:

    emulator.py --image build/bulkhead.img --until 'REGEX' --seconds 300 > serial.txt
"""
import argparse
import contextlib
import ctypes
import dataclasses
import mmap
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "bochs"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import cache
import fetch

TICKS_PER_SECOND = 200_000_000
TICKS_PER_USEC = TICKS_PER_SECOND // 1_000_000
DEFAULT_CPU = {"bochs": "corei7_skylake_x", "qemu": "max", "kvm": "host"}
# address, type, reset value, reserved bits, ignored bits (high and low halves): a microcode revision that Linux trusts with
# the TSC deadline timer.
DEFAULT_MSRS = "0x0000008b 0 02000080 00000000 00000000 00000000 ffffffff ffffffff\n"
# What Bochs' BIOS writes to IA32_FEATURE_CONTROL (SDM Vol. 3D, "Architectural MSRs": bit 0 locks it, bit 2 allows VMX) on the
# other CPUs and on the boot CPU; in the BIOS both are 5, by MOV ECX,3Ah; RDMSR; OR EAX,5; WRMSR.
VTX_LOCKS = {"unlocked": (0, 0), "off": (1, 1), "off on others": (1, 5)}
BIOS_LOCKS_VTX = re.compile(rb"\xb9\x3a\0\0\0\x0f\x32(\x66?\x83\xc8)\x05\x0f\x30")
PR_SET_PDEATHSIG = 1
MONITOR_SECONDS = 60  # QEMU answers at once
TYPED_AT_ONCE = 8         # bytes: half a FIFO, and its trigger level
TYPING_TICKS = 800_000    # between them: they take 140,000 on the line
TYPING_SECONDS = 0.01     # the same where the emulator counts no ticks
# The last line of ring 0's report; after it nothing comes any more.
RING_0_STOPPED = re.compile(rb"E602 Bulkhead stopped[^\n]*\n")


class EmulatorError(Exception):
    pass


class WaitFailed(EmulatorError):
    """What was waited for did not come; the message says why."""


@dataclasses.dataclass
class Options:
    """What the PC is. `ticks` are emulated TSC ticks since power-on (Bochs only), `seconds` the host's."""
    image: str = None               # disk image; never written to
    cdrom: str = None               # ISO image
    machine: str = "bochs"          # bochs | qemu | kvm
    firmware: str = "uefi"          # uefi | bios
    cpu: str = None                 # CPU model; None: a usual one
    cpus: int = 1
    memory: int = 512               # MiB
    msrs: str = None                # Bochs: file of MSR definitions
    vtx_lock: str = None            # Bochs with BIOS: how that leaves VT-x (see VTX_LOCKS); None: locked on
    realtime: bool = False          # Bochs: keep an idle PC's clock from running ahead (for people, not for tests)
    no_uart: bool = False           # QEMU: a PC without serial port
    display: str = "none"           # none | x (Bochs: a GOP framebuffer, shown on an X server of its own)
    e9_log: str = None              # file for what is written to port E9h
    log: str = None                 # the emulator's own log
    debugger: bool = False          # Bochs: its debugger on this terminal; QEMU: gdb stub on the socket `gdb` in the run folder
    debugger_commands: str = None   # Bochs: its debugger, without a terminal, carries out the commands of this file
    debugger_output: str = None     # and writes what they print to this one
    extra: tuple = ()               # more bochsrc lines, or more QEMU words


def end_with_parent(own_group=True):
    """In the child before exec: a process group of its own, killed when the thread that started it ends."""
    if own_group:
        os.setpgid(0, 0)
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def bios_with_vtx_lock(bios, name):
    """The BIOS, changed as VTX_LOCKS says."""
    values = VTX_LOCKS[name]
    places = [match.end() - 3 for match in BIOS_LOCKS_VTX.finditer(bios)]
    if len(places) != len(values):
        raise EmulatorError(f"this Bochs' BIOS locks VT-x at {len(places)} places, not {len(values)}")
    changed = bytearray(bios)
    for place, value in zip(places, values):
        changed[place] = value
    return bytes(changed)


def bochs_files(options, root, run_folder, serial_path):
    """Writes the bochsrc; returns its path."""
    share = root / "usr/share"
    msrs = options.msrs
    if msrs is None and (options.cpu or DEFAULT_CPU["bochs"]) == DEFAULT_CPU["bochs"]:
        msrs = run_folder / "msrs"
        msrs.write_text(DEFAULT_MSRS)
    lines = [
        "config_interface: textconfig",
        "plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1, iodebug=0",
        f"memory: guest={options.memory}, host={min(options.memory, 4096)}",
        f"cpu: model={options.cpu or DEFAULT_CPU['bochs']}, count={options.cpus}, ips={TICKS_PER_SECOND}, "
        f"reset_on_triple_fault=0, ignore_bad_msrs=1, cpuid_freq=ips{f', msrs={msrs}' if msrs else ''}",
        "clock: sync=slowdown, time0=utc" if options.realtime else "clock: sync=none, time0=1767225600",
        f"com1: enabled=1, mode=term, dev={serial_path}",
        f"port_e9_hack: enabled={1 if options.e9_log else 0}",
        f"log: {options.log or run_folder / 'bochs.log'}",
        "panic: action=fatal", "error: action=report", "info: action=report", "debug: action=ignore",
        "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy",
        "mouse: enabled=0",
    ]
    slots = ", slot1=pcivga" if options.display == "x" else ""
    lines.append(f"pci: enabled=1, chipset=i440fx{slots}")
    lines.append("display_library: x" if options.display == "x" else "display_library: term")
    if options.firmware == "uefi":
        lines += [f"romimage: file={share}/ovmf/OVMF.fd, address=0xffc00000", "fw_cfg: enabled=1"]
    else:
        bios = share / "bochs/BIOS-bochs-latest"
        if options.vtx_lock:
            changed = bios_with_vtx_lock(bios.read_bytes(), options.vtx_lock)
            bios = run_folder / "bios"
            bios.write_bytes(changed)
        lines += [f"romimage: file={bios}"]
    # The display "term" ends Bochs when GRUB sets a mode with more than 8 bits per pixel: offer it none.
    vga = "vbe" if options.display == "x" else "none"
    lines += [f"vgaromimage: file={share}/bochs/VGABIOS-lgpl-latest", f"vga: extension={vga}"]
    if options.image:
        # Bochs puts a lock beside the path it is given: in the run folder, not beside the image.
        disk = run_folder / "disk.img"
        disk.symlink_to(Path(options.image).resolve())
        lines.append(f"ata0-master: type=disk, path={disk}, mode=volatile, journal={run_folder / 'disk.changes'}")
    if options.cdrom:
        lines.append(f"ata1-master: type=cdrom, path={Path(options.cdrom).resolve()}, status=inserted")
    lines.append("boot: disk" if options.image else "boot: cdrom")
    lines += options.extra
    path = run_folder / "bochsrc"
    path.write_text("\n".join(lines) + "\n")
    return path


def qemu_words(options, run_folder):
    words = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-machine", "q35", "-m", str(options.memory),
             "-smp", str(options.cpus), "-cpu", options.cpu or DEFAULT_CPU[options.machine], "-rtc", "base=utc",
             "-vga", "std", "-display", "none", "-chardev", "stdio,id=com1,signal=off",
             "-serial", "none" if options.no_uart else "chardev:com1",
             "-qmp", f"unix:{run_folder}/qmp,server=on,wait=off", "-no-reboot"]
    words += ["-accel", "kvm"] if options.machine == "kvm" else ["-accel", "tcg"]
    if options.firmware == "uefi":
        words += ["-bios", str(uefi_firmware())]
    if options.image:
        words += ["-drive", f"file={Path(options.image).resolve()},format=raw,if=ide,snapshot=on"]
    if options.cdrom:
        words += ["-cdrom", str(Path(options.cdrom).resolve())]
    if options.e9_log:
        words += ["-debugcon", f"file:{options.e9_log}", "-global", "isa-debugcon.iobase=0xe9"]
    if options.debugger:
        words += ["-gdb", f"unix:{run_folder}/gdb,server=on,wait=off"]
    return words + list(options.extra)


def uefi_firmware():
    root = fetch.installed()
    places = [root / "usr/share/ovmf/OVMF.fd"] if root else []
    places.append(Path("/usr/share/ovmf/OVMF.fd"))
    for path in places:
        if path.exists():
            return path
    raise EmulatorError("no UEFI firmware: install the package ovmf, or let ./dev test fetch it")


class Emulator:
    """A PC that runs. Use it in a `with`; `output` holds all of the serial port's bytes so far.

    Must be started by a thread that lives as long as the PC shall (see end_with_parent)."""

    def __init__(self, options, slot=False):
        self.options = options
        self.output = bytearray()
        self.on_output = None          # called with each new piece
        self.process = None
        self._position = 0             # wait_for looks from here on
        self._clock = None
        self._held = contextlib.ExitStack()
        if slot:
            self._held.callback(cache.Slot().release)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        run_folder = cache.RunFolder()
        self._held.callback(run_folder.remove)
        self.folder = run_folder.path
        self._master, slave = pty.openpty()
        self._held.callback(os.close, self._master)
        self._held.callback(os.close, slave)
        tty.setraw(slave)
        # QEMU switches output processing on again: then it must have nothing to do.
        modes = termios.tcgetattr(slave)
        modes[1] &= ~termios.ONLCR
        termios.tcsetattr(slave, termios.TCSANOW, modes)
        os.set_blocking(self._master, False)
        environment = dict(os.environ)
        own_terminal = self.options.debugger and self.options.machine == "bochs"
        if self.options.display == "x":
            environment["DISPLAY"] = self.x_display = self._start_x_server()
        if self.options.machine == "bochs":
            words = self._bochs_words(environment, os.ttyname(slave))
            standard = {} if own_terminal else {"stdin": subprocess.DEVNULL, "stdout": self._debugger_output()}
        else:
            words = qemu_words(self.options, self.folder)
            standard = {"stdin": slave, "stdout": slave}
        errors = open(self.folder / "stderr", "wb")
        self._held.callback(errors.close)
        if not own_terminal:
            standard["stderr"] = errors
        self.process = subprocess.Popen(words, env=environment, cwd=self.folder,
                                        preexec_fn=lambda: end_with_parent(not own_terminal), **standard)
        self.started = time.monotonic()

    def _start_x_server(self):
        """An X server without a screen, on a free display that only this user reaches; returns the display's name."""
        reader, writer = os.pipe()
        with open(reader, "rb") as answer:
            server = subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                      pass_fds=(writer,), preexec_fn=end_with_parent)
            os.close(writer)
            self._held.callback(server.wait)
            self._held.callback(server.terminate)
            number = answer.readline().decode().strip()
        if not number:
            raise EmulatorError("Xvfb does not start: is the package xvfb installed?")
        return f":{number}"

    def screenshot(self, path, width=1280, height=800):
        """A picture of the screen: PNG from Bochs (OVMF's mode there; without its window's frame), PPM from QEMU."""
        if self.options.machine == "bochs":
            subprocess.run(["import", "-display", self.x_display, "-window", "root", "-crop", f"{width}x{height}+4+36",
                            "+repage", f"png:{path}"], check=True, timeout=60)
        else:
            answer = self.monitor("screendump", filename=str(path))
            if "error" in answer:
                raise EmulatorError(f"QEMU makes no picture: {answer['error']}")

    def _bochs_words(self, environment, serial_path):
        root = fetch.installed()
        if root is None:
            raise EmulatorError("Bochs is not there yet: run tools/bochs/fetch.py (or ./dev run)")
        in_use = cache.locked(root / ".in-use", shared=True)
        self._held.enter_context(in_use)
        words, more = fetch.command_of(root)
        clock = self.folder / "clock"
        clock.write_bytes(bytes(4096))
        with open(clock, "r+b") as file:
            self._clock = mmap.mmap(file.fileno(), 4096)
        environment.update(more, BULKHEAD_CLOCK=str(clock))
        environment.setdefault("TERM", "vt100")
        rc = bochs_files(self.options, root, self.folder, serial_path)
        words += ["-q", "-unlock", "-f", str(rc)]
        if self.options.debugger_commands:
            return words + ["-debugger", "-rc", self.options.debugger_commands]
        return words + (["-debugger"] if self.options.debugger else [])

    def _debugger_output(self):
        if not self.options.debugger_output:
            return subprocess.DEVNULL
        file = open(self.options.debugger_output, "wb")
        self._held.callback(file.close)
        return file

    def stop(self):
        """Ends the emulator and everything it started; safe to call twice."""
        if self.process and self.process.poll() is None:
            for number, patience in ((signal.SIGINT, 2), (signal.SIGKILL, 10)):
                with contextlib.suppress(ProcessLookupError):
                    if self.options.debugger:
                        os.kill(self.process.pid, number)
                    os.killpg(self.process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(patience)
                    break
        if self.process:
            self.pump(0)
        self._held.close()
        self._master = None

    @property
    def running(self):
        return self.process.poll() is None

    def descriptor(self):
        """The PC's side of the serial cable, for select()."""
        return self._master

    def ticks(self):
        """Emulated TSC ticks since power-on, to about 200,000; 0 where the emulator has no such clock."""
        return struct.unpack_from("<Q", self._clock)[0] * TICKS_PER_USEC if self._clock else 0

    def poisons_instruction_length(self):
        """Whether this Bochs reads garbage where a CPU leaves the VM-exit instruction length undefined (tools/bochs/poison.c):
        always, unless the environment says BULKHEAD_POISON=0."""
        return bool(self._clock) and struct.unpack_from("<Q", self._clock, 8)[0] == 1

    def pump(self, seconds):
        """Takes what the serial port sent, waiting for the first byte at most so long. True if there was any."""
        if self._master is None or not select.select([self._master], [], [], seconds)[0]:
            return False
        took = False
        with contextlib.suppress(BlockingIOError, OSError):
            while True:
                piece = os.read(self._master, 65536)
                if not piece:
                    break
                self.output += piece
                took = True
                if self.on_output:
                    self.on_output(piece)
        return took

    def text(self):
        return self.output.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")

    def wait_for(self, pattern, ticks=None, seconds=600):
        """Waits until the serial output matches (a str: that text; else a compiled regex of bytes), after the last match.

        Fails at once where the PC switches off or ring 0 reports its own end. Bounded by emulated ticks from now where the
        emulator counts them, and by host seconds. Returns the match."""
        expression = re.compile(re.escape(pattern.encode())) if isinstance(pattern, str) else pattern
        deadline = time.monotonic() + seconds
        last_tick = self.ticks() + ticks if ticks and self._clock else None
        late = None
        while True:
            found = expression.search(self.output, self._position)
            if found:
                self._position = found.end()
                return found
            if late:
                raise WaitFailed(f"{pattern!r} did not come within {late}")
            # A PC that prints without pause is late like any other; what had come by then is looked at once more.
            if last_tick and self.ticks() > last_tick:
                late = f"{ticks:,} ticks"
            elif time.monotonic() > deadline:
                late = f"{seconds} s"
            was_running = self.running
            if self.pump(0 if late else 0.05) or late:
                continue
            if not was_running and not self.pump(0):
                raise WaitFailed(f"the PC switched off before {pattern!r} came")
            if RING_0_STOPPED.search(self.output, self._position):
                raise WaitFailed(f"ring 0 stopped before {pattern!r} came")

    def seek(self, position):
        """Sets where wait_for looks from; returns where it was."""
        before, self._position = self._position, position
        return before

    def wait_end(self, seconds=120):
        """Waits until the PC is switched off."""
        deadline = time.monotonic() + seconds
        while self.running:
            self.pump(0.05)
            if time.monotonic() > deadline:
                raise WaitFailed(f"the PC is still on after {seconds} s")
        while self.pump(0):
            pass

    def type(self, text, patience_seconds=60):
        """Types on the serial port, at a pace that the 16-byte FIFO of a 16550 can take: a part of it, then time to take that."""
        data = text.encode() if isinstance(text, str) else text
        deadline = time.monotonic() + patience_seconds
        while data and self.running:
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._master, data[:TYPED_AT_ONCE]):]
            self._rest(deadline)
            if time.monotonic() > deadline:
                raise WaitFailed(f"the PC takes no more of what is typed: {data!r}")

    def _rest(self, deadline):
        """Lets the PC run for a moment: of its own time, where the emulator counts it. More than a FIFO's trigger level behind one
        another makes Bochs 3.1 raise an interrupt for an empty FIFO, too, and the driver then reads a byte again."""
        last_tick = self.ticks() + TYPING_TICKS if self._clock else None
        end = deadline if self._clock else min(deadline, time.monotonic() + TYPING_SECONDS)
        while self.running and time.monotonic() < end and not (last_tick and self.ticks() >= last_tick):
            self.pump(0.01)

    def _connect_monitor(self, link, seconds=20):
        """QEMU makes its monitor's socket a moment after its start."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return link.connect(str(self.folder / "qmp"))
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline or not self.running:
                    raise
            time.sleep(0.05)

    def monitor(self, command, **arguments):
        """One QEMU monitor (QMP) command; returns its answer."""
        import json
        with socket.socket(socket.AF_UNIX) as link:
            self._connect_monitor(link)
            link.settimeout(MONITOR_SECONDS)
            stream = link.makefile("rw")
            stream.readline()
            for words in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                stream.write(json.dumps(words) + "\n")
                stream.flush()
                while True:
                    answer = json.loads(stream.readline())
                    if "return" in answer or "error" in answer:
                        break
            return answer

    def problems(self):
        """What the emulator itself complained about: the end of its log and of its standard error."""
        parts = []
        for path in (Path(self.options.log or self.folder / "bochs.log"), self.folder / "stderr"):
            if path.exists():
                lines = path.read_text(errors="replace").splitlines()
                parts += [line for line in lines if "PANIC" in line or "qemu" in line or ">>" in line][-5:]
        return "\n".join(parts)


def parse_arguments():
    parser = argparse.ArgumentParser(description="Runs one emulated PC; its serial port is printed.")
    for field in dataclasses.fields(Options):
        name = "--" + field.name.replace("_", "-")
        if field.type in (bool, "bool"):
            parser.add_argument(name, action="store_true")
        elif field.name == "extra":
            parser.add_argument(name, action="append", default=[], help="one more bochsrc line or QEMU word")
        else:
            parser.add_argument(name, default=field.default, type=int if field.name in ("cpus", "memory") else str)
    parser.add_argument("--until", help="end with status 0 when the serial output matches this regex")
    parser.add_argument("--type", action="append", default=[], metavar="REGEX=TEXT",
                        help="when the regex appears, type TEXT and Enter (in order, repeatable)")
    parser.add_argument("--ticks", type=int, help="end with status 2 after so many emulated ticks")
    parser.add_argument("--seconds", type=int, default=600, help="end with status 2 after so many seconds (600)")
    parser.add_argument("--no-slot", action="store_true", help="do not wait for other emulators to end")
    parser.add_argument("--serial", help="also write the serial output to this file")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    values = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(Options)}
    for path in ("msrs", "e9_log", "log"):
        values[path] = os.path.abspath(values[path]) if values[path] else None
    options = Options(**values)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    copy = open(arguments.serial, "wb") if arguments.serial else None

    def show(piece):
        sys.stdout.buffer.write(piece)
        sys.stdout.flush()
        if copy:
            copy.write(piece)
            copy.flush()

    status = 0
    emulator = Emulator(options, slot=not arguments.no_slot)
    emulator.on_output = show
    try:
        with emulator:
            deadline = time.monotonic() + arguments.seconds
            for step in arguments.type:
                pattern, _, text = step.partition("=")
                emulator.wait_for(re.compile(pattern.encode()), arguments.ticks, deadline - time.monotonic())
                emulator.type(text + "\r")
            if arguments.until:
                emulator.wait_for(re.compile(arguments.until.encode()), arguments.ticks, deadline - time.monotonic())
            else:
                while emulator.running:
                    emulator.pump(0.05)
                    if time.monotonic() > deadline or (arguments.ticks and emulator.ticks() > arguments.ticks):
                        raise WaitFailed("time is up")
                emulator.pump(0)
            print(f"\n[{time.monotonic() - emulator.started:.1f} s, {emulator.ticks():,} ticks]", file=sys.stderr)
            complaints = emulator.problems()
    except WaitFailed as problem:
        complaints = str(problem)
        status = 2
    except (EmulatorError, cache.NoPlace) as problem:
        complaints = str(problem)
        status = 1
    if complaints:
        print(f"\n{complaints}", file=sys.stderr)
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
