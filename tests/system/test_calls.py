"""Ring 0 under programs that call it with nonsense from several CPUs: it lives on, ends them, and gets all memory back."""
import re

import harness
import pytest

CALL_FUZZ = f"{harness.BUILD}/call_fuzz"
FUZZ = dict(linux=False, manifest="", without=("system/manager", "system/vmm", "system/console"),
            add=(f"{CALL_FUZZ}=system/manager", f"{CALL_FUZZ}=system/vmm"))


def passes(boot):
    found = boot.shows(re.compile(rb"CALL-FUZZ [^\r\n]*\r?\n|E602|E621|Press a key"), ticks=200_000_000_000, seconds=600)
    text = found.group(0).decode()
    print(text)
    passed = re.search(r"passed: (\d+) rounds, (\d+) calls, (\d+) of them successful", text)
    assert passed, text
    assert int(passed.group(2)) > 10_000
    assert int(passed.group(3)) > 1_000


@pytest.mark.boot(machine="qemu", firmware="bios", cpus=4, **FUZZ)
def test_nonsense_from_four_cpus(boot):
    passes(boot)


@pytest.mark.boot(cpus=2, **FUZZ)
def test_nonsense_with_a_vm(boot):
    passes(boot)
