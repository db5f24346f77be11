"""./dev as a user meets it, without an emulator: what it says and refuses before anything is installed or started.

What is missing is played by programs of the same name in a folder of their own, the only one on PATH beside the tools that the
script may use."""
import os
import shutil
import subprocess

import harness
import pytest

TOOLS = ("awk", "cat", "cut", "dirname", "env", "grep", "mkdir", "rm", "sed", "sh", "sleep", "sort", "tail", "tr")
SECONDS = 120


class Machine:
    """A PATH to play on; asked is what ./dev called that it should think twice about."""

    def __init__(self, folder):
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.log = folder / "asked"
        self.log.touch()
        self.home = folder / "home"
        self.home.mkdir()
        for name in TOOLS:
            (self.bin / name).symlink_to(shutil.which(name))
        self.program("dpkg-query", "exit 1")
        self.program("id", "echo 1000")
        self.program("df", "echo; echo disk 100 50 50000000 50% /")
        self.program("apt-get", f"echo apt-get $* >>{self.log}; exit 1")

    def program(self, name, body):
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!{shutil.which('sh')}\n{body}\n")
        path.chmod(0o755)

    def dev(self, *words):
        environment = {"PATH": str(self.bin), "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        return subprocess.run([str(harness.ROOT / "dev"), *words], env=environment, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS)

    @property
    def asked(self):
        return self.log.read_text()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def dev(*words, **more):
    return subprocess.run([str(harness.ROOT / "dev"), *words], stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=SECONDS, env={**os.environ, "BUILD": str(harness.BUILD)}, **more)


def test_help_names_every_command(machine):
    answer = machine.dev("help")
    assert answer.returncode == 0
    for name in ("run", "test", "image", "check", "debug", "bench", "lint", "mutants", "suite", "clean"):
        assert f"./dev {name}" in answer.stdout
    assert machine.asked == ""


def test_unknown_command_is_refused_with_the_list(machine):
    answer = machine.dev("fly")
    assert answer.returncode == 1
    assert "no command 'fly'" in answer.stderr and "./dev run" in answer.stderr


# Plays root's apt with one missing package, while another apt has dpkg's lock at the first attempt.
APT = """echo apt-get $* >>{log}
case $* in
*--print-uris*) echo "'http://mirror/x.deb' x.deb 1500000 SHA256:0" ;;
*Timeout=0*) echo "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1 (apt)"; exit 100 ;;
*install*) : >{installed} ;;
esac"""


def test_waits_for_the_lock_of_dpkg(machine, tmp_path):
    installed = tmp_path / "installed"
    machine.program("id", "echo 0")
    machine.program("dpkg-query", f"[ -e {installed} ] && echo ii")
    machine.program("apt-get", APT.format(log=machine.log, installed=installed))
    answer = machine.dev("prepare")
    assert answer.returncode == 0, answer.stderr
    assert "To install: 1 package, 1.5 MB to fetch" in answer.stderr
    assert answer.stderr.count("Waiting for another apt to end ...") == 1
    assert machine.asked.count("Lock::Timeout=600") == 1


def test_packages_that_apt_has_fetched_before_are_installed(machine, tmp_path):
    installed = tmp_path / "installed"
    machine.program("id", "echo 0")
    machine.program("dpkg-query", f"[ -e {installed} ] && echo ii")
    machine.program("apt-get", f"case $* in *--print-uris*) ;; *install*) : >{installed} ;; esac")
    answer = machine.dev("prepare")
    assert answer.returncode == 0, answer.stderr
    assert "To install: 0 packages, 0.0 MB to fetch" in answer.stderr


def test_without_sudo_the_line_for_root_is_said_and_nothing_done(machine):
    answer = machine.dev("run")
    assert answer.returncode == 3
    line = next(line for line in answer.stderr.splitlines() if "apt-get install" in line)
    assert "--no-install-recommends" in line and " nasm" in line and " gnu-efi" in line
    assert machine.asked == ""
    assert not any(machine.home.iterdir())


def test_sudo_that_would_ask_without_a_terminal_counts_as_none(machine):
    machine.program("sudo", "exit 1")
    assert machine.dev("run").returncode == 3
    assert machine.asked == ""


def test_too_little_disk_is_refused_with_the_number(machine):
    machine.program("df", "echo; echo disk 100 50 1999000 50% /")
    answer = machine.dev("run")
    assert answer.returncode == 1
    assert "1999 MB free; 2000 MB are needed" in answer.stderr
    assert machine.asked == ""


def test_another_distribution_is_told_what_is_needed(machine):
    (machine.bin / "dpkg-query").unlink()
    answer = machine.dev("run")
    assert answer.returncode == 1
    assert "Debian 12 and 13 are supported" in answer.stderr and "nasm" in answer.stderr


def test_failing_apt_ends_it_with_what_apt_said(machine):
    machine.program("id", "echo 0")
    machine.program("apt-get", f"echo apt-get $* >>{machine.log}; echo E: no network; exit 100")
    answer = machine.dev("run")
    assert answer.returncode == 1
    assert "E: no network" in answer.stderr and "package lists could not be updated" in answer.stderr
    assert " install nasm" not in machine.asked


def test_waits_for_the_lock_of_apts_lists(machine):
    """Another apt holds it for two tries; then the lists come, and the plan names what is fetched and how large it is."""
    machine.program("id", "echo 0")
    machine.program("sleep", "exit 0")
    states = [f"{machine.home}/{name}" for name in ("first", "second", "lists")]
    machine.program("apt-get", "\n".join([
        f"echo apt-get $* >>{machine.log}",
        "case $* in",
        f"*--print-uris*) [ -e {states[2]} ] || exit 100; echo \"'http://mirror/nasm.deb' nasm.deb 3000000 SHA256:0\"; exit 0 ;;",
        f"*update*) [ ! -e {states[1]} ] || {{ : >{states[2]}; exit 0; }}",
        f"[ ! -e {states[0]} ] || : >{states[1]}",
        f": >{states[0]}",
        "echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt)' ;;",
        "*) echo 'E: installs nothing here' ;;",
        "esac",
        "exit 100"]))
    answer = machine.dev("run")
    assert answer.returncode == 1
    assert answer.stderr.count("Waiting for another apt to end") == 1
    assert "To install: 1 package, 3.0 MB to fetch" in answer.stderr
    assert "-o DPkg::Lock::Timeout=" in machine.asked
    assert "E: installs nothing here" in answer.stderr


def test_suite_wants_a_folder_before_it_installs_anything(machine):
    answer = machine.dev("suite")
    assert answer.returncode == 2 and "DIR" in answer.stderr
    answer = machine.dev("suite", "--help")
    assert answer.returncode == 0 and "--xml FILE" in answer.stdout
    assert machine.asked == ""


def test_check_accepts_the_manifest_of_the_image():
    answer = dev("check")
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("example", sorted((harness.ROOT / "guests/examples").glob("*.toml")), ids=lambda path: path.stem)
def test_check_accepts_the_examples(example):
    answer = dev("check", str(example))
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_run_names_a_file_that_is_not_there(tmp_path):
    answer = dev("run", "--add", "disk.img=disk.img", cwd=tmp_path)
    assert answer.returncode == 1
    assert f"--add disk.img=disk.img: there is no file {tmp_path}/disk.img" in answer.stderr
    answer = dev("run", "--manifest", "mine.toml", cwd=tmp_path)
    assert answer.returncode == 1
    assert f"--manifest: there is no file {tmp_path}/mine.toml" in answer.stderr


def test_check_names_line_key_and_remedy_of_a_file_given_from_anywhere(tmp_path):
    (tmp_path / "mine.toml").write_text('[[vm]]\nname = "a"\nkernel = "k"\nmemroy = "1G"\n')
    answer = dev("check", "mine.toml", cwd=tmp_path)
    assert answer.returncode == 1
    assert 'line 4: key "memroy" is not known in [[vm]]; did you mean "memory"?' in answer.stdout + answer.stderr


def test_check_tells_who_gets_which_cpus_of_a_pc(tmp_path):
    vm = '[[vm]]\nname = "{0}"\nkernel = "k"\n'
    (tmp_path / "mine.toml").write_text(vm.format("a") + 'reserve = { budget = "9ms", period = "10ms" }\n' +
                                        vm.format("b") + "cpus = [1]\ndedicated = true\n" +
                                        vm.format("c") + 'reserve = { budget = "1ms", period = "10ms" }\n')
    answer = dev("check", "mine.toml", "2", cwd=tmp_path)
    assert answer.returncode == 1
    assert 'line 13: VM "c" reserves 1ms of 10ms = 10 %, but left beside the host\'s 5 % is: CPU 0 5 %' in answer.stdout
    assert "CPU 0: reserved, 5 % left; a 90 %" in answer.stdout and "CPU 1: dedicated to b, vCPU 0" in answer.stdout
    assert dev("check", "mine.toml", "3", cwd=tmp_path).returncode == 0
    assert dev("check", "mine.toml", "x", cwd=tmp_path).returncode == 2
