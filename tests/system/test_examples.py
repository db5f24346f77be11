"""What guests/examples/network.toml promises in its first lines: two Linux VMs reach each other, and their disks outlive a reboot.

That every example is a manifest without mistakes is in test_dev.py."""
import harness
import pytest
from linux_vms import LinuxVms

NETWORK = (harness.ROOT / "guests/examples/network.toml").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.boot(cpus=2, memory=1024, firmware="bios", manifest=NETWORK, devices=True)
def test_a_network_of_two(boot):
    linux = LinuxVms(boot)
    linux.ready("one", "two")
    for name, address in (("one", "10.0.0.1"), ("two", "10.0.0.2")):
        linux.ask(name, f"ip addr add {address}/24 dev eth0 && ip link set eth0 up")
        linux.ask(name, "mkfs.ext4 /dev/vda && mkdir -p /mnt && mount /dev/vda /mnt && echo hello >/mnt/note")
        linux.ask(name, "umount /mnt")
    assert "3 packets received" in linux.ask("two", "ping -c 3 -W 5 10.0.0.1")
    linux.reboot("two")
    linux.ask("two", "mkdir -p /mnt && mount /dev/vda /mnt && grep hello /mnt/note")
    listed = linux.at_host("list")
    assert "whose changes are lost at power-off" in listed, listed
