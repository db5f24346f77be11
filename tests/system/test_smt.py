"""A PC whose cores have two threads each: a core runs one VM at a time, unless the manifest says otherwise."""
import harness
import pytest

VM = '[[vm]]\nname = "{0}"\nkernel = "hello/hello.bin"\nmemory = "16M"\ncmdline = "name={0}"\n{1}\n\n'
# One processor with three cores of two threads: CPUs 0 1, 2 3, 4 5.
SMT = {"firmware": "bios", "linux": False, "memory": 512, "cpus": "1:3:2"}
SEPARATE = "".join(VM.format(name, lines) for name, lines in [
    ("web", ""), ("pair", "vcpus = 2\ncpus = [2, 3]\ndedicated = true"), ("alone", "cpus = [5]\ndedicated = true"),
    ("beside", "cpus = [4]\ndedicated = true"), ("second", "cpus = [1]")])


@pytest.mark.boot(**SMT, manifest=SEPARATE)
class TestSeparateThreads:
    def log(self, boot):
        return boot.log_once("hello from web: 2 seconds", "alone: runs")

    def test_second_threads_are_unused(self, boot):
        log = self.log(boot)
        assert '(smt = "share" would use them): CPU 1 4' in log, log
        assert "CPU 2: dedicated to pair, vCPU 0" in log and "CPU 3: dedicated to pair, vCPU 1" in log

    def test_two_vms_on_one_core_are_refused(self, boot):
        log = self.log(boot)
        assert 'VM "beside": cpus names CPU 4, which shares a core with CPU 5: a core runs one VM at a time; name other CPUs' in log
        assert 'VM "second" has no CPU: all its cpus are dedicated to other VMs, have windows or are second threads of cores' in log

    def test_the_others_run(self, boot):
        self.log(boot)
        table = boot.ask_host("list")
        for name, state in (("web", "running"), ("pair", "running"), ("alone", "running"), ("beside", "not started"),
                            ("second", "not started")):
            assert any(line.startswith(name) and state in line for line in table.splitlines()), table


# Nobody else may run on core 1: the VM's two virtual CPUs have both its threads. CPU 4 is for two VMs, so CPU 5 is for none.
WHOLE = "".join(VM.format(name, lines) for name, lines in [
    ("web", "cpus = [0, 4]"), ("narrow", "cpus = [4, 5]")])
WHOLE += '[[vm]]\nname = "wide"\nkernel = "test/hostile_pair.bin"\nmemory = "16M"\ncmdline = "storm"\nvcpus = 2\ncpus = [2, 3]\n'


@pytest.mark.boot(**SMT, manifest=WHOLE, add=harness.guest_programs("hostile_pair"))
class TestWholeCores:
    def test_a_core_of_one_vm_is_used_whole(self, boot):
        log = boot.log_once("hello from web: 2 seconds", "narrow: runs")
        assert "all threads of a core are used, as no second VM may run there: CPU 2 3" in log, log
        assert '(smt = "share" would use them): CPU 1 5' in log, log

    def test_its_vm_runs_on_both_threads_and_nobody_else_does(self, boot):
        boot.log_once("hello from web: 2 seconds", "narrow: runs")
        rows = [line.split() for line in boot.ask_host("top 2").splitlines() if line.startswith(("web ", "wide ", "narrow "))]
        cpus = {name: {row[2] for row in rows if row[0] == name} for name in ("web", "wide", "narrow")}
        assert cpus["wide"] == {"2", "3"}, rows
        assert cpus["web"] | cpus["narrow"] <= {"0", "4"}, rows


@pytest.mark.boot(**SMT, manifest='[host]\nsmt = "share"\n' + SEPARATE)
def test_shared_threads_run_all_vms(boot):
    boot.wait_for("hello from web: 2 seconds")
    boot.to_host()
    table = boot.ask_host("list")
    assert table.count("running") == 5 and "unused" not in table, table
