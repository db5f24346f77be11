"""Messages that need a whole PC to be raised: a volume with the wrong files, a processor or firmware without what is needed.

Those of the manifest, of VMs and of VT-x are in test_bad_vms.py; those that logic alone can raise are in tests/unit."""
import harness
import pytest

NAMED = '[[vm]]\nname = "hello"\nkernel = "hello/hello.bin"\nmemory = "16M"\n'
QEMU = {"machine": "qemu", "firmware": "bios", "linux": False, "memory": 256, "manifest": NAMED}
BOCHS = {"firmware": "bios", "linux": False, "memory": 256, "manifest": NAMED}
BUILD = str(harness.BUILD)


def instead(path, built):
    """A volume on which one program's file is another program."""
    return {"without": (path,), "add": (f"{BUILD}/{built}={path}",)}


# Each ends with the words on the screen: the loader or ring 0 has stopped.
STOPS = {
    "no-kernel": ({"without": ("system/kernel",)}, "E501: there is no file bulkhead/system/kernel among the "),
    "kernel-is-text": ({"without": ("system/kernel",), "files": (("system/kernel", "x" * 5000),)},
                       "E502: bulkhead/system/kernel is not a kernel: "),
    "no-folder": ({"firmware": "uefi", "without": ("*",)}, "E505: the boot volume has no readable folder \\bulkhead"),
    "no-execute-disable": ({"cpu": "max,-nx"}, "E506: this CPU does not offer no-execute pages"),
    "no-64-bits": ({"cpu": "qemu32"}, "E506: this CPU cannot run 64-bit programs. What to do: use a PC"),
    "no-manager": ({"without": ("system/manager",)}, "E607: there is no file bulkhead/system/manager among the "),
    "manager-is-text": ({"without": ("system/manager",), "files": (("system/manager", "x" * 5000),)},
                        "E606: bulkhead/system/manager is not a program: "),
    "manager-faults": (instead("system/manager", "console"), "E601 program manager stopped: exception 14 at "),
    "no-global-pages": ({"cpu": "max,-pge"}, "E620: this CPU lacks global pages."),
}


@pytest.mark.parametrize("boot,words", [pytest.param({**QEMU, **case}, words, id=name) for name, (case, words) in STOPS.items()],
                         indirect=["boot"])
def test_boot_stops_with_words(boot, words):
    boot.shows(words, seconds=120)
    assert boot.running


@pytest.mark.boot(**{**BOCHS, **instead("system/vmm", "console")})
def test_vmm_of_another_kind(boot):
    boot.shows("E617 console: manager and console are of different releases; copy both from the same one")
    boot.shows(harness.HOST_PROMPT)


@pytest.mark.boot(**{**QEMU, **instead("system/console", "vmm")})
def test_console_of_another_kind(boot):
    boot.shows("E632 console: ended by itself, exit code 1; is it of another release? Copy the folder system from the release "
               "again. VMs go on", seconds=120)


@pytest.mark.boot(**{**BOCHS, "without": ("system/vmm",)})
def test_vmm_is_missing(boot):
    boot.shows("E631 hello: not started: bulkhead/system/vmm: is missing; copy the folder system from the release again")
    boot.shows(harness.HOST_PROMPT)
