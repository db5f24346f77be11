"""Every way to use a CPU in one PC: shared, reserved, with windows, dedicated; and the command top, which shows it."""
import re

import pytest

VM = '[[vm]]\nname = "{0}"\nkernel = "hello/hello.bin"\nmemory = "16M"\ncmdline = "name={0}"\n{1}\n\n'
MANIFEST = """[schedule]
frame = "10ms"
windows = [ { start = "0ms", length = "4ms", vms = ["control"], cpus = [3] } ]

""" + "".join(VM.format(name, lines) for name, lines in [
    ("web", "weight = 200"), ("capped", "cap = 20\ncpus = [1]"),
    ("audio", 'reserve = { budget = "2ms", period = "10ms" }\ncpus = [1]'),
    ("motor", "cpus = [2]\ndedicated = true\nservice_cpu = 1"), ("control", "")])
NAMES = ("web", "capped", "audio", "motor", "control")
ALL_MODES = {"firmware": "bios", "linux": False, "memory": 512, "cpus": 4, "manifest": MANIFEST}
ROW = re.compile(r"^(\S+) +(\d+) +(\d+) (\w+(?: SIPI)?) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+) +(\d+) +(\d+)$", re.MULTILINE)


@pytest.mark.boot(**ALL_MODES)
class TestEveryModeOfACpu:
    def at_prompt(self, boot):
        if not hasattr(boot, "is_at_prompt"):
            boot.wait_for("hello from web: 2 seconds")
            boot.to_host()
            boot.is_at_prompt = True

    def test_all_vms_run(self, boot):
        self.at_prompt(boot)
        states = {line.split()[0]: line for line in boot.ask_host("list").splitlines() if line.split()}
        assert all("running" in states[name] for name in NAMES), states

    def test_list_tells_the_plan(self, boot):
        self.at_prompt(boot)
        table = boot.ask_host("list")
        for line in ("CPU 1: reserved, 75 % left; audio 20 %", "CPU 2: dedicated to motor, vCPU 0",
                     "CPU 3: windows in a frame of 10ms, slack unused; 0 to 4ms control",
                     "host reserve: 5 % (500us of 10ms) of CPU 0 1"):
            assert line in table, table

    def test_top_shows_each_vcpu_where_it_belongs(self, boot):
        self.at_prompt(boot)
        table = boot.ask_host("top 2").replace("\r", "")
        rows = {row[0]: row for row in ROW.findall(table)}
        assert sorted(rows) == sorted(NAMES), table
        assert (rows["audio"][2], rows["motor"][2], rows["control"][2]) == ("1", "2", "3"), table
        for row in rows.values():
            parts = [float(part) for part in row[4:8]]
            assert 98 < sum(parts) < 102, table

    def test_top_wants_a_number_of_seconds(self, boot):
        self.at_prompt(boot)
        assert "E611 prompt: write it as: top [SECONDS]" in boot.ask_host("top 61")
