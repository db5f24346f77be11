"""The protocols between CPUs, checked in every interleaving by spin: tests/models/*.pml.

Each model must hold, in a search that was complete; and each named bug (a -D flag of the model) must be found, so that a model
which checks nothing cannot pass.
"""
import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
SECONDS = 300
MEMORY_MB = 2000
DEPTH = 100_000

THREE_CPUS = ("CPUS=3", "SIGNALS=1", "MOVES=1")
HARDWARE = ("HARDWARE",)
HOLDS = {
    "two CPUs": ("wake", ()),
    "three CPUs": ("wake", THREE_CPUS),
    "vCPU": ("vcpu", ()),
    "vCPU, posted interrupts of the hardware": ("vcpu", HARDWARE),
}
# What the checker says of each: an assertion of the model, or that nobody can go on, which is a wake-up or an interrupt lost.
LOST = r"invalid end state"
BUGS = {
    "NO_WAKE_PENDING": ("wake", (), LOST),
    "WAKE_PENDING_CLEARED": ("wake", (), LOST),
    "INTERRUPT_FIRST": ("wake", (), LOST),
    "LISTED_TWICE": ("wake", (), r"assertion violated"),
    "NOT_FORWARDED": ("wake", (), r"assertion violated"),
    "MOVED_FROM_STACK": ("wake", (), r"assertion violated +!\(on_cpu\)"),
    "TIMER_STAYS": ("wake", (), r"assertion violated"),
    "HOME_NOT_CHECKED": ("wake", THREE_CPUS, r"assertion violated"),
    "INBOX_NOT_CLAIMED": ("wake", THREE_CPUS, r"assertion violated"),
    "NOTIFY_BEFORE_PENDING": ("vcpu", (), LOST),
    "NO_KICK": ("vcpu", (), LOST),
    "PLACE_LAST": ("vcpu", (), LOST),
    "OUTSTANDING_FIRST": ("vcpu", (), LOST),
    "OUTSTANDING_CLEARED_LAST": ("vcpu", (), LOST),
    "FLUSH_IS_TOLD": ("vcpu", (), LOST),
    "NOTIFIED_WHILE_BLOCKED": ("vcpu", HARDWARE, LOST),
    "POSTED_UNSEEN_BEFORE_BLOCK": ("vcpu", HARDWARE, LOST),
    "POSTED_UNSEEN_BEFORE_ENTRY": ("vcpu", HARDWARE, LOST),
    "OTHER_CPU_TOLD": ("vcpu", (), r"assertion violated +!\(\(gone&&remembers\[me\]\)\)"),
    "TRANSLATIONS_KEPT": ("vcpu", (), r"assertion violated +!\(\(gone&&remembers\[me\]\)\)"),
}


def check(model, defines, folder, optimise):
    """What spin's checker prints about a model, and how many errors it found (it stops at the first)."""
    flags = [f"-D{define}" for define in defines]
    # spin looks for included files where it runs, and writes there.
    for source in FOLDER.glob("*.*"):
        if source.suffix in (".pml", ".inc"):
            (folder / source.name).write_text(source.read_text())
    subprocess.run(["spin", *flags, "-a", f"{model}.pml"], cwd=folder, check=True, timeout=SECONDS)
    subprocess.run(["gcc", optimise, "-w", "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={MEMORY_MB}", "-o", "pan", "pan.c"], cwd=folder,
                   check=True, timeout=SECONDS)
    output = subprocess.run(["./pan", f"-m{DEPTH}"], cwd=folder, capture_output=True, text=True, check=False,
                            timeout=SECONDS).stdout
    errors = re.search(r"errors: (\d+)", output)
    assert errors, output
    return output, int(errors.group(1))


@pytest.mark.parametrize("name", HOLDS)
def test_model_holds(name, tmp_path):
    model, defines = HOLDS[name]
    output, errors = check(model, defines, tmp_path, "-O2")
    assert errors == 0, output
    assert "invalid end states\t+" in output and "assertion violations\t+" in output, output
    assert "max search depth too small" not in output and "Search not completed" not in output, output
    print(re.search(r"(\d+) states, stored", output).group(0))


@pytest.mark.parametrize("bug", BUGS)
def test_model_finds_bug(bug, tmp_path):
    model, defines, message = BUGS[bug]
    output, errors = check(model, (*defines, f"BUG_{bug}"), tmp_path, "-O0")
    assert errors == 1, output
    assert re.search(message, output), output


def test_model_names_every_bug():
    text = "".join(path.read_text() for path in FOLDER.glob("*.*") if path.suffix in (".pml", ".inc"))
    assert set(re.findall(r"\bBUG_(\w*\w)\b", text)) == set(BUGS)
