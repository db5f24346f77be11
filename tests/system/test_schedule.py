"""Every way to use a CPU in one PC: shared, reserved, with windows, dedicated; and the command top, which shows it."""
import re

import harness
import pytest

VM = '[[vm]]\nname = "{0}"\nkernel = "hello/hello.bin"\nmemory = "16M"\ncmdline = "name={0}"\n{1}\n\n'
MANIFEST = """[schedule]
frame = "10ms"
windows = [ { start = "0ms", length = "4ms", vms = ["control"], cpus = [3] } ]

""" + "".join(VM.format(name, lines) for name, lines in [
    ("web", "weight = 200"), ("capped", "cap = 20\ncpus = [1]"),
    ("audio", 'reserve = { budget = "2ms", period = "10ms" }\ncpus = [1]'),
    ("motor", "cpus = [2]\ndedicated = true\nservice_cpu = 1"), ("control", "vcpus = 3")])
NAMES = ("web", "capped", "audio", "motor", "control")
ALL_MODES = {"firmware": "bios", "linux": False, "memory": 512, "cpus": 4, "manifest": MANIFEST}
# Guests that always compute, on four CPUs.
BUSY = ("""[schedule]
frame = "10ms"
windows = [ { start = "0ms", length = "4ms", vms = ["early"], cpus = [1] },
            { start = "4ms", length = "5ms", vms = ["later"], cpus = [1] } ]
slack = true

""" + "".join(f'[[vm]]\nname = "{name}"\nkernel = "bench/share.bin"\nmemory = "2M"\n{lines}\n\n' for name, lines in [
    ("one", "cpus = [0]"), ("two", "weight = 200\ncpus = [0]"), ("four", "weight = 400\ncpus = [0]"),
    ("early", ""), ("later", ""), ("slack", "cpus = [1]"),
    ("motor", "cpus = [2]\ndedicated = true\nservice_cpu = 0"),
    ("audio", 'reserve = { budget = "2ms", period = "10ms" }\ncpus = [3]'), ("capped", "cap = 10\ncpus = [3]"),
    ("hog", "cpus = [3]"), ("hog2", "cpus = [3]")]))
ALL_BUSY = {"firmware": "bios", "linux": False, "memory": 512, "cpus": 4, "manifest": BUSY,
            "add": (f"{harness.BUILD}/share.bin=bench/share.bin",)}
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
        states = boot.states()
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
        found = ROW.findall(table)
        rows = {row[0]: row for row in found if row[1] == "0"}
        assert sorted(rows) == sorted(NAMES), table
        assert sorted(row[:2] for row in found if row[3] == "no SIPI") == [("control", "1"), ("control", "2")], table
        assert (rows["audio"][2], rows["motor"][2], rows["control"][2]) == ("1", "2", "3"), table
        for row in rows.values():
            parts = [float(part) for part in row[4:8]]
            assert 98 < sum(parts) < 102, table

    def test_top_wants_a_number_of_seconds(self, boot):
        self.at_prompt(boot)
        assert "E611 prompt: write it as: top [SECONDS]" in boot.ask_host("top 61")


@pytest.mark.boot(**ALL_BUSY)
class TestEveryoneComputes:
    """Percent of a CPU over five seconds. The host's programs take a little of CPU 0."""
    @pytest.fixture
    def rows(self, boot):
        if not hasattr(boot, "busy_rows"):
            boot.wait_for("share: runs")
            boot.to_host()
            table = boot.ask_host("top 5").replace("\r", "")
            print(table)
            names = ("run", "wait", "steal", "halted", "switches", "moves")
            boot.busy_rows = {row[0]: dict(zip(names, map(float, row[4:]))) for row in ROW.findall(table)}
        return boot.busy_rows

    @pytest.mark.parametrize("name, share", [("one", 100 / 7), ("two", 200 / 7), ("four", 400 / 7)])
    def test_shares_by_weight(self, rows, name, share):
        assert share - 1.5 <= rows[name]["run"] <= share + 0.5

    @pytest.mark.parametrize("name, share", [("early", 40), ("later", 50), ("slack", 10)])
    def test_windows_and_slack(self, rows, name, share):
        assert share - 0.5 <= rows[name]["run"] <= share + 0.5

    @pytest.mark.parametrize("name, share", [("early", 60), ("later", 50)])
    def test_a_vm_outside_its_window_waits_by_its_own_rule(self, rows, name, share):
        assert share - 0.5 <= rows[name]["wait"] <= share + 0.5

    def test_the_dedicated_vcpu_is_never_switched(self, rows):
        assert rows["motor"]["run"] >= 99.9
        assert rows["motor"]["switches"] == 0

    def test_cap(self, rows):
        assert 9.9 <= rows["capped"]["run"] <= 10.1

    @pytest.mark.parametrize("name, share", [("audio", 20 + 70 / 3), ("hog", 70 / 3), ("hog2", 70 / 3)])
    def test_a_reservation_and_a_share_of_the_rest(self, rows, name, share):
        assert share - 2 <= rows[name]["run"] <= share + 1
