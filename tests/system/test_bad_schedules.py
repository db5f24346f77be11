"""Mistakes in reservations, dedicated CPUs and windows are said with line and remedy, and stop nobody else."""
import re

import pytest

HELLO = '[[vm]]\nname = "{0}"\nkernel = "hello/hello.bin"\nmemory = "16M"\ncmdline = "name={0}"\n{1}\n\n'


def vm(name, *lines):
    return HELLO.format(name, "\n".join(lines))


def reserve(budget, period):
    return f'reserve = {{ budget = "{budget}", period = "{period}" }}'


SCHEDULE = """[schedule]
frame = "10ms"
windows = [ { start = "0ms", length = "6ms", vms = ["in-window"], cpus = [1] },
            { start = "5ms", length = "5ms", vms = ["overlapping"], cpus = [1] },
            { start = "9ms", length = "2ms", vms = ["late", "stranger"], cpus = [1] } ]

"""
# Two CPUs; 80 % of CPU 0 are taken by the first reservation. A line of the file for each message below.
VMS = [vm("good"),
       vm("half", reserve("8ms", "10ms"), "cpus = [0]"),
       vm("overfull", reserve("1501us", "10ms"), "cpus = [0]"),
       vm("over-budget", reserve("11ms", "10ms")),
       vm("heavy", "weight = 1000000000"),
       vm("weightless", "weight = 0"),
       vm("elsewhere", "cpus = [7]"),
       vm("all-dedicated", "vcpus = 2", "cpus = [0, 1]", "dedicated = true"),
       vm("motor", "cpus = [1]", "dedicated = true", "service_cpu = 1"),
       vm("in-window"), vm("overlapping"), vm("late"),
       vm("malformed", reserve("2 ms", "10ms")),
       vm("capped", "cap = 10", reserve("2ms", "10ms")),
       vm("last", "weight = 300")]
MANIFEST = SCHEDULE + "".join(VMS)
BAD = {"firmware": "bios", "linux": False, "memory": 768, "cpus": 2, "manifest": MANIFEST}
MESSAGES = [
    r'E124 bulkhead\.toml line 4: the window overlaps the one on line 3, on CPU 1; move one, or name both VMs in one window',
    r"E124 bulkhead\.toml line 5: the window ends at 11ms, but the frame has 10ms; shorten the window, or lengthen the frame",
    r'E125 bulkhead\.toml line 5: vms names VM "stranger", which there is not; write the name of a \[\[vm\]\]',
    r'E128 bulkhead\.toml line 3: VM "in-window" is in a window, but \[schedule\] is wrong; correct it first',
    r'E207 bulkhead\.toml line 27: VM "overfull" reserves 1501us of 10ms = 15\.01 %, but left beside the host\'s 5 % is: '
    r"CPU 0 15 %; lower reserve",
    r"E123 bulkhead\.toml line \d+: reserve has a budget of 11ms in a period of 10ms; lower the budget",
    r"E107 bulkhead\.toml line \d+: weight is 1000000000; write 1 to 10000",
    r"E107 bulkhead\.toml line \d+: weight is 0; write 1 to 10000",
    r'E204 bulkhead\.toml line \d+: VM "elsewhere": cpus names CPU 7, but this PC has 0 to 1; correct it',
    r"E127 bulkhead\.toml line \d+: CPU 0 cannot be dedicated: Bulkhead's own programs need a CPU",
    r'E127 bulkhead\.toml line \d+: service_cpu 1 is dedicated to VM "motor" \(line \d+\); name a CPU that is shared, like 0',
    r'E122 bulkhead\.toml line \d+: budget "2 ms" is no duration; write a whole number and us, ms or s, like "10ms"',
    r"E126 bulkhead\.toml line \d+: cap = 10 is less than reserve: 2ms of 10ms for 1 vCPU need 20; raise cap, or lower reserve",
]
IDS = ["overlap", "beyond-frame", "unknown-vm", "vm-of-a-wrong-schedule", "one-tick-too-many", "budget-over-period",
       "weight-10-to-9", "weight-0",
       "no-such-cpu", "all-dedicated", "service-cpu-dedicated", "duration", "cap-below-reserve"]
STARTED = ("good", "half", "last")


@pytest.mark.boot(**BAD)
class TestBadSchedulesBesideGoodVms:
    def log(self, boot):
        return boot.log_once("hello from good: 2 seconds", "last: runs")

    @pytest.mark.parametrize("message", MESSAGES, ids=IDS)
    def test_message(self, boot, message):
        log = self.log(boot)
        assert re.search(message, log), log

    def test_the_others_start_and_the_rest_does_not(self, boot):
        self.log(boot)
        states = boot.states()
        for name in re.findall(r'name = "([a-z-]+)"', MANIFEST):
            assert ("running" if name in STARTED else "not started") in states[name]

    def test_list_and_log_tell_the_plan(self, boot):
        words = ["CPU 0: reserved, 15 % left; half 80 %", "host reserve: 5 % (500us of 10ms) of CPU 0 1"]
        log, table = self.log(boot), boot.ask_host("list")
        for line in words:
            assert line in log and line in table
