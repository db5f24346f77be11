"""Debian's unmodified kernel with network cards on a switch: two VMs, one with two vCPUs and two pairs of queues."""
import re

import pytest
from linux_vms import linux_fixture, vm

MANIFEST = (vm("one", 'net = [{ switch = "lan", queues = 2 }]\n', vcpus=2, memory="192M") +
            vm("two", 'net = [{ switch = "lan", mac = "52:54:00:00:00:02" }]\n', memory="192M") +
            '\n[[switch]]\nname = "lan"\n')
COPY_TICKS = 60_000_000_000
pytestmark = [pytest.mark.slow,
              pytest.mark.boot(cpus=2, memory=1024, firmware="bios", manifest=MANIFEST, devices=True)]


def give_addresses(linux):
    for name, address in (("one", "10.0.0.1"), ("two", "10.0.0.2")):
        linux.ask(name, f"ip link set eth0 up && ip addr add {address}/24 dev eth0")


linux = linux_fixture("one", "two", prepare=give_addresses)


class TestTwoLinuxVmsOnASwitch:
    def test_cards_have_their_addresses(self, linux):
        assert linux.ask("two", "cat /sys/class/net/eth0/address") == "52:54:00:00:00:02"
        assert linux.ask("one", "cat /sys/class/net/eth0/address").startswith("02:")
        assert linux.ask("one", "cat /sys/class/net/eth0/carrier") == "1"

    def test_queues_are_those_asked_for(self, linux):
        assert linux.ask("one", "ls /sys/class/net/eth0/queues").split() == ["rx-0", "rx-1", "tx-0", "tx-1"]
        assert linux.ask("two", "ls /sys/class/net/eth0/queues").split() == ["rx-0", "tx-0"]

    def test_they_ping_each_other(self, linux):
        assert "3 packets received" in linux.ask("one", "ping -c 3 -W 5 10.0.0.2")
        assert "3 packets received" in linux.ask("two", "ping -c 3 -W 5 10.0.0.1")

    @pytest.mark.parametrize("sender, receiver, address", [("one", "two", "10.0.0.2"), ("two", "one", "10.0.0.1")])
    def test_64_mib_arrive_as_they_were_sent(self, linux, sender, receiver, address):
        job = linux.begin(receiver, "nc -l -p 7 | md5sum")
        linux.ask(sender, "dd if=/dev/urandom of=/tmp/mib bs=1M count=1 2>/dev/null")
        linux.ask(sender, "for i in $(seq 64); do echo $i; cat /tmp/mib; done >/tmp/sent", COPY_TICKS)
        linux.ask(sender, f"nc {address} 7 </tmp/sent", COPY_TICKS)
        came = linux.end_of(job, COPY_TICKS).split()[0]
        assert linux.ask(sender, "md5sum /tmp/sent && rm /tmp/sent /tmp/mib", COPY_TICKS).split()[0] == came
        assert int(linux.ask(receiver, "cat /sys/class/net/eth0/statistics/rx_bytes")) > 64 << 20

    def test_frames_of_another_source_are_dropped(self, linux):
        linux.ask("two", "ip link set eth0 down && ip link set eth0 address 52:54:00:00:00:99 && ip link set eth0 up")
        status, _ = linux.answer("two", "ping -c 1 -W 1 10.0.0.1")
        assert status != 0
        linux.ask("two", "ip link set eth0 down && ip link set eth0 address 52:54:00:00:00:02 && ip link set eth0 up")
        assert "1 packets received" in linux.ask("two", "ping -c 1 -W 5 10.0.0.1")

    def test_the_prompt_counts(self, linux):
        line = re.search(r"switch lan: running, 2 ports, (\d+) passed on, dropped: \d+ for lack of room, (\d+) with a wrong source",
                         linux.at_host("list"))
        assert line and int(line[1]) > 100 and int(line[2]) > 0
