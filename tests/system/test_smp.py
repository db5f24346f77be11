"""Guests with several vCPUs: one of ours that starts them, counts and sends interrupts, and Debian's kernel."""
import re

import harness
import pytest


def many(vcpus, words="", host=""):
    """What a boot with the test guest needs."""
    manifest = f"""{host}
[[vm]]
name    = "many"
kernel  = "test/many_vcpus.bin"
memory  = "4M"
cmdline = "{words}"
vcpus   = {vcpus}
"""
    program = f"{harness.BUILD}/many_vcpus.bin=test/many_vcpus.bin"
    return {"firmware": "bios", "linux": False, "manifest": manifest, "add": (program,)}


NO_X2APIC = '[host]\ndisable = ["x2apic"]\n'
BOOTS = {
    "4-on-1": dict(many(4), cpus=1),
    "8-xapic-on-2": dict(many(8, "xapic", NO_X2APIC), cpus=2),
    "64-on-2": dict(many(64), cpus=2),
    "64-xapic-on-2": dict(many(64, "xapic"), cpus=2),
}


@pytest.mark.parametrize("boot", [
    pytest.param(BOOTS[name], id=name, marks=pytest.mark.slow if name == "64-xapic-on-2" else ()) for name in BOOTS], indirect=True)
def test_processors_start_and_get_all_interrupts(boot):
    boot.wait_for(re.compile(rb"many_vcpus: (\d+) processors"))
    lines = boot.text().splitlines()
    assert [line for line in lines if "TEST-FAIL" in line or "exception" in line] == []
    assert sum("TEST-PASS" in line for line in lines) > 20


LINUX = """
[[vm]]
name    = "linux"
kernel  = "linux/vmlinuz"
initrd  = "linux/initrd.gz"
cmdline = "console=ttyS0 quiet"
memory  = "256M"
vcpus   = 4
"""


@pytest.mark.boot(cpus=2, memory=1024, manifest=LINUX)
class TestLinuxWithFourOnTwo:
    def test_all_processors_are_up(self, boot):
        assert boot.ask_guest("nproc") == "4"
