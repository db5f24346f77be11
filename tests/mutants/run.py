#!/usr/bin/env python3
"""`./dev mutants [NAME ...]`: breaks the product in one named way at a time; the tests must notice each.

Each NAME.patch here is a one-line change; two lines of text come first:

    Behaviour: what it breaks, in words
    Tests: unit:NAME ...  and/or words for pytest (tests/system/test_x.py::test_y)

For each one a copy of the tree is patched and built, and its tests are run: they must fail. First the same tests must pass
unbroken: a test that fails anyway proves nothing. Not running, not building and not applying count as not noticed.
"""
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
SECONDS = 1500
APPLY = ["--ignore-whitespace", "-C1"]  # what stands around the broken line may change


class Mutant:
    def __init__(self, path):
        text = path.read_text()
        self.name, self.path = path.stem, path
        self.behaviour = self._field(text, "Behaviour")
        words = self._field(text, "Tests").split()
        self.units = [word[5:] for word in words if word.startswith("unit:")]
        self.system = [word for word in words if not word.startswith("unit:")]

    def _field(self, text, name):
        found = re.search(rf"^{name}: *(.+)$", text, re.MULTILINE)
        if not found:
            raise SystemExit(f"{self.path}: the line '{name}: ...' is missing")
        return found.group(1)


def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG


def run(words, folder):
    """Exit status and output; None where it takes too long."""
    process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace", preexec_fn=end_with_parent,
                               env={**os.environ, "BUILD": "build", "PYTHONDONTWRITEBYTECODE": "1"})
    try:
        return process.communicate(timeout=SECONDS)[0], process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0], None
    finally:
        if process.poll() is None:
            process.terminate()


def copy_of_tree(folder):
    """The tree as it is, with what is built: unchanged files are not built again."""
    shutil.copytree(ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    return folder


def build(mutant, folder):
    """No more than its tests need."""
    goals = [f"build/tests/test_{unit}" for unit in mutant.units] + (["all", "host-tools", "test-guests"] if mutant.system else [])
    return run(["make", "-s", f"-j{os.cpu_count()}", "BUILD=build", f"PYTHON={PYTHON}", *goals], folder)


def tests_fail(mutant, folder):
    """True, False, or None where the tests did not run; and the output of the last one."""
    output = ""
    for unit in mutant.units:
        output, status = run([f"build/tests/test_{unit}"], folder)
        if status is None:
            return None, f"{unit} did not end within {SECONDS} s\n{output}"
        if status != 0:
            return True, output
    if mutant.system:
        output, status = run([PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-x", *mutant.system], folder)
        if status not in (0, 1):
            return None, output
        return status == 1, output
    return False, output


def control(mutants, work):
    """Every test that a mutant names must pass on the product as it is."""
    folder = copy_of_tree(work / "control")
    everything = Mutant.__new__(Mutant)
    everything.units = sorted({unit for mutant in mutants for unit in mutant.units})
    everything.system = sorted({word for mutant in mutants for word in mutant.system})
    output, status = build(everything, folder)
    if status != 0:
        raise SystemExit(f"the unbroken product does not build:\n{output[-3000:]}")
    failed, output = tests_fail(everything, folder)
    if failed is not False:
        raise SystemExit(f"the tests do not pass on the unbroken product:\n{output[-3000:]}")


def notice(mutant, work):
    """Why the tests did not notice this mutant, or None."""
    folder = copy_of_tree(work / mutant.name)
    try:
        output, status = run(["git", "apply", *APPLY, str(mutant.path)], folder)
        if status != 0:
            return f"the patch does not apply: {output.strip()[-500:]}"
        output, status = build(mutant, folder)
        if status != 0:
            return f"it does not build: {output.strip()[-1000:]}"
        failed, output = tests_fail(mutant, folder)
        if failed is None:
            return f"its tests do not run: {output.strip()[-1000:]}"
        return None if failed else "its tests pass all the same"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    wanted = sys.argv[1:]
    mutants = [Mutant(path) for path in sorted(HERE.glob("*.patch")) if not wanted or path.stem in wanted]
    if not mutants:
        raise SystemExit("tests/mutants: no such mutant")
    missed = 0
    with tempfile.TemporaryDirectory(prefix="bulkhead-mutants-") as name:
        work = Path(name)
        started = time.monotonic()
        control(mutants, work)
        print(f"unbroken: all tests pass ({time.monotonic() - started:.0f} s)", flush=True)
        for mutant in mutants:
            started = time.monotonic()
            why = notice(mutant, work)
            missed += why is not None
            print(f"{'noticed' if why is None else 'MISSED '}  {mutant.name}: {mutant.behaviour} "
                  f"({time.monotonic() - started:.0f} s){f': {why}' if why else ''}", flush=True)
    print(f"{len(mutants) - missed} noticed, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
