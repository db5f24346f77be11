"""Figures of scheduling: several VMs in one PC, each measuring by its own TSC (guests/bench). What a VM prints on its terminal is
read once all is measured, so that nobody's printing is in anybody's figure."""
import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import emulator

ROOT = Path(__file__).resolve().parent.parent
TO_HOST, PROMPT = "\x1d", re.compile(rb"bulkhead> ")
TICKS = 6_000_000_000
U64 = 1 << 64


@dataclasses.dataclass
class Vm:
    name: str
    program: str
    cmdline: str = "-"
    more: str = ""       # further lines of the manifest
    memory: str = "2M"


def manifest(vms, schedule=""):
    entries = (f'[[vm]]\nname = "{vm.name}"\nkernel = "bench/{vm.program}.bin"\nmemory = "{vm.memory}"\n'
               f'cmdline = "{vm.cmdline}"\n{vm.more}\n' for vm in vms)
    return '[host]\nconsole = ["serial"]\n' + schedule + "\n".join(entries)


def make_image(build, name, vms, schedule=""):
    folder = build / "bench"
    (folder / f"{name}.toml").write_text(manifest(vms, schedule))
    words = [sys.executable, str(ROOT / "tools/mkimage.py"), "--build", str(build), "--output", str(folder / f"{name}.img"),
             "--manifest", str(folder / f"{name}.toml"), "--linux", ""]
    for program in sorted({vm.program for vm in vms}):
        words += ["--add", f"{build / program}.bin=bench/{program}.bin"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return folder / f"{name}.img"


def run(build, name, image, ends, **options):
    """ends: {VM: the regex that ends what it prints}, the first VM's first. Returns the log's path and, by VM, its text; that of
    Bulkhead's log has the name ""."""
    log = build / "bench" / f"{name}.log"
    texts = {}
    with emulator.Emulator(emulator.Options(image=str(image), firmware="bios", **options), slot=True) as pc:
        try:
            for vm, end in ends.items():
                if texts:
                    pc.type(f"console {vm}\r")
                start = len(pc.output) if texts else 0
                pc.wait_for(re.compile(end), ticks=TICKS)
                texts[vm] = pc.output[start:].decode("utf-8", "replace")
                pc.seek(len(pc.output))
                pc.type(TO_HOST)
                pc.wait_for(PROMPT, ticks=TICKS)
            pc.seek(len(pc.output))
            pc.type("log\r")
            pc.wait_for(PROMPT, ticks=TICKS)
            texts[""] = pc.text()
        finally:
            log.write_text(pc.text())
    return log, texts


def value(log, text, pattern):
    found = re.findall(pattern, text)
    if not found:
        raise emulator.EmulatorError(f"{log}: no match for {pattern}")
    return int(found[-1])


def bench(log, texts, vm, name):
    return value(log, texts[vm], rf"bench {name} (\d+)")


# --- Figures: each returns (value, what the note says besides the log)

def share_error(build, name="share"):
    weights = {"one": 100, "two": 200, "four": 400}
    vms = [Vm(vm, "share", "start=1500 period=1000 rounds=1", f"weight = {weight}\n") for vm, weight in weights.items()]
    log, texts = run(build, name, make_image(build, name, vms), {vm: rb"share \d+ of \d+ ticks[^\n]*\n" for vm in weights})
    got = {vm: value(log, texts[vm], r"share (\d+) of") for vm in weights}
    errors = [abs(got[vm] / sum(got.values()) / (weight / sum(weights.values())) - 1) for vm, weight in weights.items()]
    used = sum(got.values()) / value(log, texts["one"], r"share \d+ of (\d+) ticks")
    words = ":".join(f"{ticks / got['one']:.3f}" for ticks in got.values())
    return log, round(100 * max(errors), 3), f"shares {words} of {used:.3f} of the CPU's time"


def reserved_lateness(build, name="reserved"):
    vms = [Vm("reserved", "wake", "period=2000 work=400 start=2000", 'reserve = { budget = "500us", period = "2ms" }\n'),
           *(Vm(f"spin{number}", "share", "rounds=0") for number in range(16))]
    log, texts = run(build, name, make_image(build, name, vms), {"reserved": rb"bench end"})
    figures = {key: bench(log, texts, "reserved", key) for key in ("wake_p50", "wake_max", "missed", "slowest")}
    return log, figures["wake_max"], (f"2,000 periods of 2 ms beside 16 spinning VMs: {figures['missed']} missed, 400 us of work "
                                      f"done in {figures['slowest']:,} ticks at most, woken at p50 {figures['wake_p50']:,}")


def window_jitter(build, name="window"):
    frame = ('[schedule]\nframe = "2ms"\nwindows = [ { start = "0ms", length = "1ms", vms = ["one"], cpus = [1] },\n'
             '            { start = "1ms", length = "1ms", vms = ["two"], cpus = [1] } ]\n')
    vms = [Vm("one", "window", "frame=2000 start=2000"), Vm("two", "window", "frame=2000 start=2000")]
    log, texts = run(build, name, make_image(build, name, vms, frame), {vm.name: rb"bench end" for vm in vms}, cpus=2)
    skipped = sum(bench(log, texts, vm.name, "skipped") for vm in vms)
    return log, max(bench(log, texts, vm.name, "window_jitter_max") for vm in vms), f"2,000 windows of each VM, {skipped} skipped"


def wakeup(build, name="wakeup"):
    vms = [Vm("wakes", "wake", "period=1930 work=20 start=1500"),
           *(Vm(f"spin{number}", "share", "rounds=0") for number in range(4))]
    log, texts = run(build, name, make_image(build, name, vms), {"wakes": rb"bench end"})
    figures = {key: bench(log, texts, "wakes", key) for key in ("wake_p50", "wake_p99", "wake_max")}
    return log, figures["wake_p99"], (f"HLT to handler beside 4 spinning VMs: p50 {figures['wake_p50']:,}, max "
                                      f"{figures['wake_max']:,}; idle: timer_hlt_late_ticks")


SWITCH_VMS = [Vm("halts", "switch", "halts bulkhead.ledger"), Vm("computes", "switch", "bulkhead.ledger")]


def switch(build, name="switch"):
    """From the last TSC that one VM reads before its HLT to the first that the other reads, on the host's clock."""
    image = make_image(build, name, SWITCH_VMS)
    log, texts = run(build, name, image, {vm.name: rb"bench end" for vm in SWITCH_VMS})
    offset = {vm.name: value(log, texts[""], rf"ledger {vm.name}: tsc-offset: (\d+)") for vm in SWITCH_VMS}
    halts = (bench(log, texts, "halts", "halts_from") - offset["halts"]) % U64
    goes_on = (bench(log, texts, "computes", "goes_on_from") - offset["computes"]) % U64
    return image, log, (goes_on - halts) % bench(log, texts, "halts", "halts_every")


def pair(build, name, words, cpus):
    """One VM with two vCPUs. Returns its image, the log, and the round trip."""
    vms = [Vm("pair", "pair", words, f"vcpus = 2\n")]
    image = make_image(build, name, vms)
    log, texts = run(build, name, image, {"pair": rb"bench end"}, cpus=cpus)
    return image, log, bench(log, texts, "pair", r"ipi_pair_\w+")


FIGURES = {"sched_share_error_percent": (share_error, "%"), "sched_reserved_lateness_max_ticks": (reserved_lateness, "ticks"),
           "sched_window_jitter_max_ticks": (window_jitter, "ticks"), "sched_wakeup_p99_ticks": (wakeup, "ticks")}


# What the simulator (tests/simulator/) says of the same figure in a longer run: scenario, factor. Its tick is half a nanosecond.
SIMULATED = {"sched_share_error_percent": ("shares", 10), "sched_reserved_lateness_max_ticks": ("reserved", 100),
             "sched_window_jitter_max_ticks": ("windows", 10), "sched_wakeup_p99_ticks": ("wakeup", 10)}
ALSO_TOLD = ("sched_reserved_periods", "sched_reserved_misses", "sched_window_starts_count", "sched_wakeup_count")


def parse_simulated(text, name):
    """The words of a note: the figure of that name, and how much it rests on."""
    found = {words[0]: words[1] for words in (line.split() for line in text.splitlines())}
    more = "".join(f", {key} {found[key]}" for key in ALSO_TOLD if key in found)
    return f"simulated: {found[name]}{more}"


def simulated(build, name):
    scenario, factor = SIMULATED[name]
    log = build / "bench" / f"simulated-{scenario}.log"
    log.write_text(subprocess.run([str((build / "tools/simulator").resolve()), scenario, str(factor)], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout)
    return f"{parse_simulated(log.read_text(), name)} ({log})"


def measure(build, results):
    for name, (figure, unit) in FIGURES.items():
        log, number, words = figure(build)
        results.add(name, number, unit, f"{log}; {words}; {simulated(build, name)}")
