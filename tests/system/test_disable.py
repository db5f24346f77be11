"""`disable = [...]` in the manifest: what is switched off is off, and VMs run all the same or are refused in words."""
import re

import pytest

OPTIONAL = ("ept-1g", "ept-2m", "ept-ad", "vpid", "x2apic", "xsave", "tsc-deadline", "invariant-tsc", "steal-time", "pv-unhalt",
            "apic-access", "tpr-shadow", "apicv", "posted-interrupts")
NEEDED = ("vmx", "ept", "unrestricted-guest", "msr-bitmaps")
UNUSED = ("io-bitmaps", "preemption-timer")
GUEST_NEEDS = {"x2apic", "tsc-deadline"}  # hello itself: without them it starts, and then says which exception it had
APICV = {"tpr-shadow", "apicv", "posted-interrupts"}
TAKEN_ALONG = {"ept-2m": {"ept-1g"},  # a page of 1 GiB is split into pages of 2 MiB
               "tpr-shadow": APICV, "apicv": APICV, "x2apic": APICV}


def pc(*disabled):
    names = ", ".join(f'"{name}"' for name in disabled)
    manifest = f'[host]\ndisable = [{names}]\n[[vm]]\nname = "hello"\nkernel = "hello/hello.bin"\nmemory = "16M"\n'
    return {"firmware": "bios", "linux": False, "memory": 256, "manifest": manifest}


def case(*disabled, slow=False):
    return pytest.param(pc(*disabled), set(disabled), id="+".join(disabled) or "nothing", marks=pytest.mark.slow if slow else ())


FOR_ALL_GUESTS = [name for name in OPTIONAL if name not in GUEST_NEEDS]
ONE_EACH = [case(name, slow=True) for name in OPTIONAL]


@pytest.mark.parametrize("boot,disabled", [case(), case(*FOR_ALL_GUESTS), case(*OPTIONAL), *ONE_EACH], indirect=["boot"])
def test_feature_is_off_and_the_vm_runs(boot, disabled):
    boot.shows("hello: runs: hello/hello.bin" if disabled & GUEST_NEEDS else "hello from hello: 2 seconds")
    boot.shows("bulkhead> ") if disabled & GUEST_NEEDS else boot.to_host()
    log = boot.ask_host("log")
    if not disabled:
        assert "uses:" not in log
        return
    used = re.search(r"vm hello uses: ([^\n]*)", log).group(1).split()
    off = disabled.union(*(TAKEN_ALONG.get(name, set()) for name in disabled))
    assert set(used) == set(NEEDED) | set(OPTIONAL) - off


@pytest.mark.parametrize("boot,disabled", [case(*NEEDED), *(case(name, slow=True) for name in NEEDED)], indirect=["boot"])
def test_needed_feature_refuses_vms_in_words(boot, disabled):
    for name in NEEDED:
        if name in disabled:
            boot.shows(f'E405 hello: not started: "{name}" is needed, and `disable` in bulkhead.toml switches it off; '
                       "remove it there")
    boot.shows("bulkhead> ")


@pytest.mark.parametrize("boot,disabled", [case(*UNUSED)], indirect=["boot"])
def test_feature_never_used_gives_a_note(boot, disabled):
    boot.shows("hello from hello: 2 seconds")
    boot.to_host()
    log = boot.ask_host("log")
    for name in disabled:
        assert f'E120 bulkhead.toml line 2: note: "{name}" in disable has no effect: this version never uses it' in log
