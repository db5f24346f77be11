"""A VM that starts again at once needs the memory that its predecessor has not given back yet."""
import re

import harness
import pytest

LARGE = """
[host]
console = ["serial"]

[[vm]]
name    = "again"
kernel  = "test/ask_reset.bin"
memory  = "300M"
restart = "always"
"""


@pytest.mark.boot(linux=False, cpus=2, memory=512, manifest=LARGE, add=(f"{harness.BUILD}/ask_reset.bin=test/ask_reset.bin",))
def test_a_vm_that_resets_finds_its_memory_free(boot):
    boot.shows("ask_reset: now")
    boot.to_host()
    # The first restart is at once; the pause before the second is said when the second run has ended.
    boot.shows("again: starts again in")
    assert "E630" not in boot.text()


GUARANTEED = """
[[vm]]
name    = "{0}"
kernel  = "test/ask_reset.bin"
memory  = "2M"
restart = "always"
{1}
"""


@pytest.mark.boot(firmware="bios", linux=False, cpus=2, memory=512, add=(f"{harness.BUILD}/ask_reset.bin=test/ask_reset.bin",),
                  manifest=GUARANTEED.format("motor", "cpus = [1]\ndedicated = true") +
                  GUARANTEED.format("audio", 'reserve = { budget = "9500us", period = "10ms" }'))
def test_vms_with_guarantees_get_them_again(boot):
    boot.shows("ask_reset: now")
    boot.to_host()
    for name in ("motor", "audio"):
        boot.shows(re.compile(rb"%s: runs(?s:.*)%s: starts again in 2 s(?s:.*)%s: runs" % ((name.encode(),) * 3)))
    assert "E630" not in boot.text()
    assert "CPU 0: reserved, 0 % left; audio 95 %" in boot.ask_host("list")
