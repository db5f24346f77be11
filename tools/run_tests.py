#!/usr/bin/env python3
"""`./dev test`: builds everything, then unit tests, lint and system tests; ends with `N passed, N failed, N skipped`.

Owns the order, the sum, the ten slowest and the rule for skipped tests: with CI=true only what tests/allowed-skips
lists may be skipped. Packages and downloads are ./dev's. --all: also tests marked `slow`, and every fuzz target for a
fixed number of executions. More words go to pytest, and then only pytest runs.
"""
import ctypes
import fcntl
import fnmatch
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from fuzz import run_all as run_targets

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("BUILD", "build"))
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
FUZZ_EXECUTIONS = 100_000
FUZZ_BOUND_SECONDS = 900
UNIT_SECONDS = 300
PR_SET_PDEATHSIG = 1


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.slowest = []
        self.failures = []

    def fail(self, name):
        self.failed += 1
        self.failures.append(name)


def end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def start(words, **more):
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, preexec_fn=end_with_parent, **more)


def make(*goals, quiet=False):
    """Runs make in the build folder, one at a time; returns its exit status and, if quiet, what it printed."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with open(BUILD / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        words = ["make", "-s", f"-j{os.cpu_count()}", f"BUILD={BUILD}", f"PYTHON={PYTHON}", *goals]
        process = start(words, stdout=subprocess.PIPE if quiet else None, text=True)
        output = process.communicate()[0]
    return process.returncode, output or ""


def phase(name):
    """Prints the phase's name and the seconds since the last one."""
    now = time.monotonic()
    if phase.name:
        print(f"-- {phase.name}: {now - phase.started:.1f} s", flush=True)
    phase.name, phase.started = name, now
    if name:
        print(f"== {name}", flush=True)


phase.name = None
phase.started = 0.0


def run_bounded(words, seconds, **more):
    """Exit status and output; a program that does not end is killed and has status None."""
    process = start(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **more)
    try:
        return process.communicate(timeout=seconds)[0], process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0], None


def unit_tests(totals):
    status, listing = make("list-unit-tests", quiet=True)
    if status != 0 or not listing.split():
        totals.fail("the list of unit tests")
        return
    environment = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}
    for program in listing.split():
        started = time.monotonic()
        output, status = run_bounded([program], UNIT_SECONDS, env=environment)
        totals.slowest.append((time.monotonic() - started, Path(program).name))
        results = re.findall(r"^(not ok|ok)\b(.*)$", output, re.MULTILINE)
        failed = [text for word, text in results if word == "not ok" and "# SKIP" not in text]
        totals.skipped += sum("# SKIP" in text for _, text in results)
        totals.passed += sum(word == "ok" and "# SKIP" not in text for word, text in results)
        for text in failed:
            totals.fail(f"{program}{text}")
        if (status != 0 and not failed) or not results:
            totals.fail(f"{program} ended with {'no result' if status == 0 else f'status {status}'}")
        if failed or status != 0:
            print(output, flush=True)


def fuzz(totals):
    """Each target for a fixed number of executions: that it still builds and finds nothing."""
    if make("fuzzers")[0] != 0:
        totals.fail("fuzz targets do not build")
        return
    programs = [path for path in sorted((BUILD / "fuzz").glob("fuzz_*")) if path.is_file() and os.access(path, os.X_OK)]
    for name, status, output, seconds in run_targets(programs, BUILD / "fuzz", FUZZ_BOUND_SECONDS, executions=FUZZ_EXECUTIONS):
        totals.slowest.append((seconds, name))
        if status == 0:
            totals.passed += 1
        else:
            totals.fail(f"{name} ended with status {status}")
            print(output[-4000:], flush=True)


def allowed_skips():
    path = ROOT / "tests/allowed-skips"
    lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
    return [line for line in lines if line]


def add_results(totals, report):
    in_ci = os.environ.get("CI") == "true"
    allowed = allowed_skips()
    for case in ElementTree.parse(report).iter("testcase"):
        # pytest-xdist adds @GROUP.
        name = f"{case.get('classname')}::{case.get('name')}".split("@")[0]
        totals.slowest.append((float(case.get("time", "0")), name))
        if case.find("failure") is not None or case.find("error") is not None:
            totals.fail(name)
        elif case.find("skipped") is None:
            totals.passed += 1
        elif in_ci and not any(fnmatch.fnmatch(name, pattern) for pattern in allowed):
            totals.fail(f"{name} was skipped ({case.find('skipped').get('message')}) and is not in tests/allowed-skips")
        else:
            totals.skipped += 1


def system_tests(totals, slow, words):
    report = BUILD / "pytest.xml"
    report.unlink(missing_ok=True)
    # As many at once as emulators may run; tests of one boot stay together.
    command = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(min(2, os.cpu_count() or 1)),
               "--dist", "loadgroup", "--junitxml", str(report), "-r", "fE", "--color=no", "tests/system", "tests/acpi",
               "tests/decode", "tests/screen", "tests/suite", "tests/lint", "tests/bench", "tests/models", "tests/simulator",
               *([] if slow else ["-m", "not slow"]), *words]
    process = start(command, env={**os.environ, "BUILD": str(BUILD), "PYTHONDONTWRITEBYTECODE": "1"})
    status = process.wait()
    if report.exists():
        add_results(totals, report)
    if status not in (0, 1, 5) or not report.exists():
        totals.fail(f"pytest ended with status {status}")


def summarize(totals):
    phase(None)
    print("== the ten slowest")
    for seconds, name in sorted(totals.slowest, reverse=True)[:10]:
        print(f"{seconds:8.1f} s  {name}")
    for name in totals.failures:
        print(f"FAILED {name}")
    print(f"{totals.passed} passed, {totals.failed} failed, {totals.skipped} skipped", flush=True)


def main():
    os.chdir(ROOT)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    words = [word for word in sys.argv[1:] if word != "--all"]
    everything = "--all" in sys.argv[1:]
    totals = Totals()
    phase("build")
    if make("all", "unit-tests", "host-tools", "test-guests", "guest-images")[0] != 0:
        totals.fail("the build")
    else:
        if not words:
            phase("unit tests")
            unit_tests(totals)
            phase("lint")
            if make("lint")[0] == 0:
                totals.passed += 1
            else:
                totals.fail("make lint")
        if everything and not words:
            phase("fuzz targets")
            fuzz(totals)
        phase("system tests")
        system_tests(totals, everything, words)
    if totals.passed + totals.failed == 0:
        totals.fail("nothing ran")
    summarize(totals)
    return 1 if totals.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
