#!/usr/bin/env python3
"""`make bench`: what VM exits and a guest's boot cost, in ticks of the emulator; prints a table and writes BUILD/bench.json.

    bench.py [--build build] [--only NAME]      after `make all test-guests`

One CPU, Bochs's corei7_skylake_x, clock not synchronized: a tick is an instruction. Figures of exits come from
guests/bench; the Linux boot is Debian's kernel with `quiet` and a static init, in 256 MiB, once bare (bare=, GRUB on BIOS)
and once as a guest, from the kernel's first instruction to init's first RDTSC. Every value is parsed from a log that its
note names; logs lie in BUILD/bench/.

Ticks reward what is slow on a processor, so each exit is run a second time under Bochs's debugger, which prints every
instruction: how many slow ones the host executes, by kind, stands in the table, in the note, and before the whole trace in
BUILD/bench/NAME.log.
"""
import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import bench_schedule  # noqa: E402
import bench_trace  # noqa: E402
import bench_virtio  # noqa: E402
import cache  # noqa: E402
import emulator  # noqa: E402

ROOT = HERE.parent
EXITS = ("exit_cpuid_ticks", "exit_vmcall_ticks", "exit_rdmsr_ticks", "exit_pio_vmm_ticks", "exit_mmio_vmm_ticks",
         "first_touch_4k_ticks", "xapic_read_ticks", "xapic_eoi_ticks", "ipi_self_x2apic_ticks", "tsc_deadline_write_ticks",
         "timer_hlt_late_ticks")
# One access of each: guests/bench/devices.c.
DEVICES = ("pic8259", "pit8254", "port61", "i8042", "rtc_cmos", "uart16550", "acpi_pm_timer", "pci_config", "fw_cfg", "debug_port",
           "testdev", "no_port", "ioapic", "hpet", "no_memory")
# The timer's interrupt comes while the host sleeps; what follows a switch is the other VM's.
CUT = {"timer_hlt_late_ticks": bench_trace.woken, "sched_switch_ticks": bench_trace.until_entry}
MARKED_ROUNDS = 3  # of guests/bench
MANIFEST = """[host]
console = ["serial"]
{host}
[[vm]]
name    = "bench"
kernel  = "{kernel}"
{more}memory  = "{memory}"
cmdline = "{cmdline}"
"""
LINUX = "linux/vmlinuz"
INIT = "linux/initrd-benchmark.gz"
CMDLINE = "console=ttyS0 quiet"


class BenchError(Exception):
    pass


def linux_folder():
    return Path(subprocess.run([sys.executable, str(ROOT / "guests/linux/build.py")], check=True, text=True,
                               stdout=subprocess.PIPE).stdout.split()[-1])


def make_image(build, name, *words):
    image = build / "bench" / f"{name}.img"
    subprocess.run([sys.executable, str(HERE / "mkimage.py"), "--build", str(build), "--output", str(image), *words],
                   check=True, stdout=subprocess.DEVNULL)
    return image


def manifest_of(build, name, **fields):
    path = build / "bench" / f"{name}.toml"
    path.write_text(MANIFEST.format(**{"host": "", **fields}))
    return str(path)


def run(build, name, image, pattern, ticks, then=None, **options):
    """Boots the image until the pattern came; the serial output goes to BUILD/bench/NAME.log, which is returned.
    then: typed at Bulkhead's prompt afterwards, and the pattern that ends it."""
    log = build / "bench" / f"{name}.log"
    with emulator.Emulator(emulator.Options(image=str(image), cpus=1, **options), slot=True) as pc:
        try:
            pc.wait_for(re.compile(pattern), ticks=ticks)
            if then:
                pc.type("\x1d")
                pc.wait_for(re.compile(rb"bulkhead> "), ticks=ticks)
                pc.type(then[0] + "\r")
                pc.wait_for(re.compile(then[1]), ticks=ticks)
        finally:
            log.write_text(pc.text())
    return log


def number(log, pattern):
    found = re.search(pattern, log.read_text())
    if not found:
        raise BenchError(f"{log}: no match for {pattern}")
    return int(found.group(1))


class Results:
    def __init__(self):
        self.rows = []

    def add(self, name, value, unit, note):
        self.rows.append({"name": name, "value": value, "unit": unit, "note": str(note)})


def trace(build, image, names):
    """Runs a program of guests/bench once more, under the debugger. Returns {name: the host's part of one round}."""
    commands, output = build / "bench/trace.rc", build / "bench/trace.txt"
    commands.write_text(bench_trace.debugger_commands(len(names) * MARKED_ROUNDS))
    run(build, "traced", image, rb"bench end", 5_000_000_000, firmware="bios", extra=("magic_break: enabled=1",),
        debugger_commands=str(commands.resolve()), debugger_output=str(output.resolve()))
    with open(output, errors="replace") as lines:
        found = bench_trace.windows(lines)
    if len(found) != len(names) * MARKED_ROUNDS:
        raise BenchError(f"{output}: {len(found)} traced pieces, not {MARKED_ROUNDS} for each of {' '.join(names)}")
    groups = {name: found[at * MARKED_ROUNDS:(at + 1) * MARKED_ROUNDS] for at, name in enumerate(names)}
    return {name: bench_trace.typical([CUT.get(name, lambda window: window)(window) for window in group])
            for name, group in groups.items()}


def describe_trace(build, name, ticks, window):
    """Writes BUILD/bench/NAME.log and returns its counts as words."""
    log = build / "bench" / f"{name}.log"
    words = ", ".join(f"{kind} {count}" for kind, count in window.counts().items()) or "none"
    log.write_text("\n".join([f"{name}: {ticks} ticks measured; traced: {len(window.texts)} instructions of the host",
                              f"slow: {words}", *window.lines]) + "\n")
    if not bench_trace.agrees(window, ticks):
        raise BenchError(f"{log}: {len(window.texts)} instructions were traced, but {ticks} ticks measured")
    return f"{len(window.texts)} instructions; slow: {words} ({log})"


def exits_image(build, name, host):
    manifest = manifest_of(build, name, host=host, kernel="bench/bench.bin", more="hpet = true\ntestdev = true\n", memory="16M",
                           cmdline="")
    return make_image(build, name, "--manifest", manifest, "--linux", "", "--add", f"{build / 'bench.bin'}=bench/bench.bin")


def measure_exits(build, results):
    """Without APIC virtualization; what it makes of the self-IPI is noted with that figure: then the host has no part in it."""
    log = run(build, "exits-apicv", exits_image(build, "exits-apicv", ""), rb"bench ipi_self_x2apic_ticks \d+", 5_000_000_000,
              firmware="bios")
    virtualized = "; with APIC virtualization {} ({})".format(number(log, r"bench ipi_self_x2apic_ticks (\d+)"), log)
    image = exits_image(build, "exits", 'disable = ["apicv"]\n')
    log = run(build, "exits", image, rb"bench end", 5_000_000_000, firmware="bios")
    traces = trace(build, image, re.findall(r"bench (\w+) \d+", log.read_text()))
    for name in EXITS + tuple(f"device_{device}_ticks" for device in DEVICES):
        ticks = number(log, rf"bench {name} (\d+)")
        more = virtualized if name == "ipi_self_x2apic_ticks" else ""
        results.add(name, ticks, "ticks", f"{log}; {describe_trace(build, name, ticks, traces[name])}{more}")


def measure_bare(build, folder):
    options = f"bare={LINUX} initrd={INIT} baretsc -- {CMDLINE} hpet=disable"
    image = make_image(build, "bare", "--linux", str(folder), "--add", f"{folder / 'initrd-benchmark.gz'}={INIT}",
                       "--cmdline", options)
    log = run(build, "bare", image, rb"init-tsc: +\d+ *[\r\n]", 8_000_000_000, firmware="bios", memory=256)
    return log, number(log, r"init-tsc: +(\d+)") - number(log, r"bare-entry-tsc: (\d+)")


def measure_guest(build, folder):
    manifest = manifest_of(build, "guest", kernel=LINUX, more=f'initrd  = "{INIT}"\n', memory="256M",
                           cmdline=CMDLINE + " bulkhead.ledger")
    image = make_image(build, "guest", "--linux", str(folder), "--add", f"{folder / 'initrd-benchmark.gz'}={INIT}",
                       "--manifest", manifest)
    log = run(build, "guest", image, rb"Power down", 9_000_000_000,
              then=("log", rb"entry-tsc: \d+[\r\n]"))
    return log, number(log, r"init-tsc: +(\d+)") - number(log, r"entry-tsc: (\d+)")


def measure_linux(build, results):
    folder = linux_folder()
    version = (folder / "version").read_text().strip() if (folder / "version").exists() else "unknown version"
    bare_log, bare = measure_bare(build, folder)
    results.add("linux_boot_ticks_bare", bare, "ticks", f"{bare_log} ({version})")
    guest_log, guest = measure_guest(build, folder)
    results.add("linux_boot_ticks_guest", guest, "ticks", f"{guest_log} ({version})")
    results.add("linux_boot_ratio", round(guest / bare, 4), "", f"{guest_log}, {bare_log}")
    results.add("linux_boot_exits", number(guest_log, r"ledger bench: exits: (\d+)"), "exits", guest_log)


def measure_lines(build, results):
    log = build / "bench" / "ring0_lines.log"
    log.write_text(subprocess.run(["make", "-s", f"BUILD={build}", "ring0-lines"], check=True, text=True, stdout=subprocess.PIPE,
                                  cwd=ROOT).stdout)
    results.add("ring0_lines", number(log, r"ring0_lines (\d+)"), "lines", log)


def measure_schedule(build, results):
    image, log, ticks = bench_schedule.switch(build)
    words = describe_trace(build, "sched_switch_ticks", ticks, trace(build, image, ["sched_switch_ticks"])["sched_switch_ticks"])
    results.add("sched_switch_ticks", ticks, "ticks", f"{log}; HLT of one VM to the next instruction of another; {words}")
    image, log, ticks = bench_schedule.pair(build, "pair1", "halt", cpus=1)
    words = describe_trace(build, "ipi_pair_1cpu_ticks", ticks, trace(build, image, ["ipi_pair_1cpu_ticks"])["ipi_pair_1cpu_ticks"])
    results.add("ipi_pair_1cpu_ticks", ticks, "ticks", f"{log}; both in HLT; {words}")
    # No trace: the CPUs' instructions alternate, and ticks pass on both.
    for words in ("spin", "halt"):
        _, log, ticks = bench_schedule.pair(build, f"pair2-{words}", words, cpus=2)
        results.add("ipi_pair_2cpu_ticks", ticks, "ticks", f"{log}; {words}; two CPUs inflate ticks")
    bench_schedule.measure(build, results)


def measure_virtio(build, results):
    bench_virtio.measure(build, results, sys.modules[__name__])


GROUPS = {"exits": measure_exits, "virtio": measure_virtio, "schedule": measure_schedule, "linux": measure_linux,
          "lines": measure_lines}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", default="build", type=Path)
    parser.add_argument("--only", choices=sorted(GROUPS), help="one group of figures; bench.json then holds just these")
    options = parser.parse_args()
    (options.build / "bench").mkdir(parents=True, exist_ok=True)
    results = Results()
    for name, measure in GROUPS.items():
        if options.only in (None, name):
            measure(options.build, results)
    (options.build / "bench.json").write_text(json.dumps(results.rows, indent=1) + "\n")
    for row in results.rows:
        print(f"{row['name']:33} {row['value']:>14,} {row['unit']:6} {row['note']}")


if __name__ == "__main__":
    try:
        main()
    except (BenchError, emulator.EmulatorError, cache.NoPlace, subprocess.CalledProcessError) as problem:
        sys.exit(f"bench: {problem}")
