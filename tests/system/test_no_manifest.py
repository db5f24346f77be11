"""A boot volume without bulkhead.toml: each kernel that is found becomes a VM, and all of them start."""
import re

import harness
import pytest

HELLO = f"{harness.BUILD}/hello.bin"


@pytest.mark.boot(firmware="bios", linux=False, memory=512, manifest="", add=(f"{HELLO}=second/hello.bin",))
def test_kernels_that_are_found_share_the_memory(boot):
    boot.shows("hello from hello: 2 seconds")
    boot.to_host()
    log = boot.ask_host("log")
    assert "no bulkhead.toml on the boot volume: 2 VMs from the kernels that were found" in log
    assert not re.search(r"\bE\d{3}\b", log), log
    states = re.findall(r"^(\w+) +running +(\d+)M", boot.ask_host("list"), re.MULTILINE)
    assert [name for name, _ in states] == ["hello", "second"]
    assert len({size for _, size in states}) == 1
    assert 200 < int(states[0][1]) < 256
    boot.power_off()
