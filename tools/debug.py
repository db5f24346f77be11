#!/usr/bin/env python3
"""`./dev debug`: the kernel in QEMU under gdb, with its symbols where the loader put it; `--vmx`: Bochs's own debugger.

Owns finding the kernel's base: the loader puts it at a random 2 MiB boundary, so the text of the ELF file is looked for
in memory. QEMU has no VT-x: for what needs it, use --vmx (symbols there: print them by `info symbol` of gdb on build/kernel.elf).
"""
import argparse
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from emulator import Emulator, EmulatorError, Options, WaitFailed

BUILD = Path(os.environ.get("BUILD", "build")).resolve()

# Runs inside gdb. KERNEL_IMAGE_BASE, _END of abi/layout.h; the image starts with its text.
GDB_SCRIPT = '''
set pagination off
set confirm off
file {kernel}
target remote {socket}
python
def find_kernel():
    memory = gdb.selected_inferior()
    with open("{kernel}", "rb") as file:
        image = file.read()
    import struct
    program_headers = struct.unpack_from("<Q", image, 32)[0]
    offset = struct.unpack_from("<Q", image, program_headers + 8)[0]
    wanted = image[offset + 64:offset + 128]
    for base in range(0xffffffff80000000, 0xffffffffc0000000, 0x200000):
        try:
            if memory.read_memory(base + 64, 64).tobytes() == wanted:
                return base
        except gdb.MemoryError:
            pass
    return None
base = find_kernel()
if base is None:
    print("The kernel is not in this CPU's address space (yet): `continue`, Ctrl-C, `python load_symbols()`")
def load_symbols():
    base = find_kernel()
    if base is not None:
        gdb.execute("symbol-file")
        gdb.execute("add-symbol-file {kernel} -o %#x" % base)
        print("The kernel is at %#x." % base)
load_symbols()
end
'''


def run_gdb(arguments):
    serial = BUILD / "debug-serial.txt"
    options = Options(image=str(BUILD / "bulkhead.img"), machine="qemu", cpus=arguments.cpus, memory=1024, debugger=True)
    with open(serial, "wb", buffering=0) as copy, Emulator(options) as pc:
        pc.on_output = copy.write
        print(f"QEMU starts; its serial port is written to {serial}", flush=True)
        try:
            pc.wait_for("Bulkhead", seconds=60)
        except WaitFailed as problem:
            print(f"./dev debug: {problem}; gdb comes all the same", file=sys.stderr)
        script = pc.folder / "gdb.script"
        script.write_text(GDB_SCRIPT.format(kernel=BUILD / "kernel.elf", socket=pc.folder / "gdb"))
        ended = threading.Event()

        def pump():
            while not ended.is_set():
                pc.pump(0.1)

        reader = threading.Thread(target=pump)
        reader.start()
        # Ctrl-C is gdb's: it stops the PC.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            batch = ["-batch"] if arguments.gdb else []
            extra = [word for command in arguments.gdb for word in ("-ex", command)]
            return subprocess.run(["gdb", "-q", *batch, "-x", str(script), *extra], check=False,
                                  preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)).returncode
        finally:
            signal.signal(signal.SIGINT, before)
            ended.set()
            reader.join()


def run_bochs(arguments):
    serial = BUILD / "debug-serial.txt"
    options = Options(image=str(BUILD / "bulkhead.img"), cpus=arguments.cpus, memory=1024, debugger=True, display="x")
    print(f"Bochs's debugger: `c` continues, Ctrl-C stops, `help`, `q` ends. The serial port is written to {serial}", flush=True)
    with open(serial, "wb", buffering=0) as copy, Emulator(options) as pc:
        pc.on_output = copy.write
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            while pc.running:
                pc.pump(0.2)
        finally:
            signal.signal(signal.SIGINT, before)
        return 0


def main():
    parser = argparse.ArgumentParser(prog="./dev debug", description=__doc__.splitlines()[0])
    parser.add_argument("--vmx", action="store_true", help="Bochs's debugger instead of gdb: it knows VT-x")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--gdb", action="append", default=[], metavar="COMMAND", help="run this gdb command and end (repeatable)")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    try:
        return run_bochs(arguments) if arguments.vmx else run_gdb(arguments)
    except EmulatorError as problem:
        print(f"./dev debug: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
