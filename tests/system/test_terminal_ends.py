"""The VM on display ends: its last words are shown, then Bulkhead's prompt with the reason, without a key pressed."""
import re

import harness
import pytest

MANIFEST = """
[[vm]]
name    = "power-off"
kernel  = "test/power_off.bin"
memory  = "2M"
"""


@pytest.mark.boot(firmware="bios", linux=False, memory=512, manifest=MANIFEST,
                  add=(f"{harness.BUILD}/power_off.bin=test/power_off.bin",))
def test_prompt_comes_by_itself_with_the_reason(boot):
    boot.shows(re.compile(rb"\[power-off: Ctrl-\][^\0]*power-off: stopped: the guest powered off[^\0]*bulkhead> "))
    assert re.search(r"power-off +stopped", boot.ask_host("list"))
    boot.power_off()
