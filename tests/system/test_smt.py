"""A PC whose cores have two threads each: a core runs one VM at a time, unless the manifest says otherwise."""
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


@pytest.mark.boot(**SMT, manifest='[host]\nsmt = "share"\n' + SEPARATE)
def test_shared_threads_run_all_vms(boot):
    boot.wait_for("hello from web: 2 seconds")
    boot.to_host()
    table = boot.ask_host("list")
    assert table.count("running") == 5 and "unused" not in table, table
