"""A guest that breaks every rule of virtqueues, on each type of device, beside one that goes on."""
import re

import harness
import pytest

# By name of the VM: the device's type and one of its queues, what the manifest says, how many questions.
DEVICES = {
    "entropy": (4, 0, "rng = true", 256),
    "balloon": (5, 0, "balloon = true", 248),
    "port": (3, 1, "hvc = true", 248),
    "control": (3, 3, "hvc = true", 248),
    "disk": (2, 0, 'disk = [{ size = "64K" }]', 248),
    "card": (1, 1, 'net = [{ switch = "lan" }]', 248),
    "socket": (19, 1, 'vsock = { switch = "lan", cid = 3 }', 248),
}


def entry(name):
    number, queue, line, _ = DEVICES[name]
    return (f'\n[[vm]]\nname = "{name}"\nkernel = "test/virtio_chains.bin"\nmemory = "4M"\n'
            f'cmdline = "type={number} queue={queue}"\n{line}\n')


# Whole 2 MiB pieces leave this one, and come back as zeros: guests/test/balloon.c.
LEAVING = '\n[[vm]]\nname = "leaving"\nkernel = "test/balloon.bin"\nmemory = "64M"\nballoon = true\n'
GOOD = '\n[[vm]]\nname = "good"\nkernel = "hello/hello.bin"\nmemory = "4M"\ncmdline = "name=good"\n'
MANIFEST = '[host]\nconsole = ["serial"]\n\n[[switch]]\nname = "lan"\n' + GOOD + "".join(map(entry, DEVICES)) + LEAVING

pytestmark = pytest.mark.boot(linux=False, firmware="bios", manifest=MANIFEST,
                              add=harness.guest_programs("virtio_chains", "balloon"))


def terminal_of(boot, name):
    """Leads to that VM's terminal; the first one is shown unasked, once it runs."""
    if not getattr(boot, "is_at_prompt", False):
        boot.shows("hello from good")
        boot.to_host()
    boot.is_at_prompt = True
    boot.console_of(name)


class TestHostileDriver:
    @pytest.mark.parametrize("name", list(DEVICES))
    def test_the_device_asks_for_its_reset_and_works_after_it(self, boot, name):
        terminal_of(boot, name)
        number, queue, _, questions = DEVICES[name]
        told = boot.shows(re.compile(rb"virtio_chains type %d queue %d: answers right: (\d+) of (\d+)\r" % (number, queue)))
        right, count = map(int, told.groups())
        assert "TEST-FAIL virtio_chains" not in boot.text()
        assert right == count == questions

    def test_the_guest_beside_them_goes_on(self, boot):
        terminal_of(boot, "good")
        boot.shows(re.compile(rb"hello from good: [5-9] seconds"))


def test_memory_that_leaves_comes_back_as_zeros(boot):
    terminal_of(boot, "leaving")
    boot.shows("TEST-PASS balloon")
