"""How the Linux guest is put together (guests/linux), without a boot."""
import lzma
import subprocess
import sys

import harness
import pytest

sys.path.insert(0, str(harness.ROOT / "guests/linux"))
import build
import devices


def module(*needs):
    return b"\x7fELF\0license=GPL\0depends=" + ",".join(needs).encode() + b"\0name=some\0"


@pytest.fixture
def kernel(tmp_path):
    """An unpacked package whose drivers need one another; what is not given here is built in."""
    root = tmp_path / "lib/modules/6.1"
    folder = root / "kernel/drivers"
    folder.mkdir(parents=True)
    (folder / "virtio_ring.ko").write_bytes(module("virtio"))
    (folder / "virtio.ko").write_bytes(module())
    (folder / "virtio_net.ko").write_bytes(module("virtio_ring", "net_failover", "virtio"))
    (folder / "net_failover.ko.xz").write_bytes(lzma.compress(module()))
    (folder / "virtio-rng.ko").write_bytes(module("virtio", "rng-core"))
    (folder / "rng-core.ko").write_bytes(module())
    others = set(devices.DRIVERS) - {"virtio_net", "virtio_rng"}
    (root / "modules.builtin").write_text("".join(f"kernel/x/{name}.ko\n" for name in others))
    return tmp_path


def test_each_module_stands_behind_those_it_needs(kernel):
    names = [name for name, _ in devices.Modules(kernel).in_order()]
    assert sorted(names) == sorted(f"{name}.ko" for name in ("virtio", "virtio_ring", "net_failover", "virtio_net", "rng_core",
                                                              "virtio_rng"))
    assert names.index("virtio.ko") < names.index("virtio_ring.ko") < names.index("virtio_net.ko")
    assert names.index("net_failover.ko") < names.index("virtio_net.ko")
    assert names.index("rng_core.ko") < names.index("virtio_rng.ko")


def test_compressed_modules_are_taken_as_they_were(kernel):
    assert dict(devices.Modules(kernel).in_order())["net_failover.ko"] == module()


def test_a_kernel_without_a_driver_is_refused(kernel):
    (kernel / "lib/modules/6.1/kernel/drivers/rng-core.ko").unlink()
    with pytest.raises(devices.FetchError, match="no module rng_core"):
        devices.Modules(kernel).in_order()


class TestPcimem:
    @pytest.fixture
    def memory(self, tmp_path):
        program = tmp_path / "pcimem"
        program.write_bytes(build.compiled(tmp_path, "pcimem", "program"))
        program.chmod(0o755)
        (tmp_path / "resource2").write_bytes(bytes(65536))

        def ask(*words):
            answer = subprocess.run([str(program), str(tmp_path / "resource2"), *words], capture_output=True, text=True, timeout=60)
            return answer.returncode, answer.stdout.strip()
        return ask

    def test_reads_what_was_written(self, memory):
        for width, value in (("1", "0x12"), ("2", "0x1234"), ("4", "0xfedcba98"), ("8", "0x123456789abcdef0")):
            assert memory("write", "0x1008", width, value) == (0, "")
            assert memory("read", "4104", width) == (0, value)
        assert memory("read", "0x100c", "1") == (0, "0x78")

    def test_checks_what_was_filled(self, memory):
        assert memory("fill", "8192", "4096", "7") == (0, "pcimem: filled")
        assert memory("check", "8192", "4096", "7") == (0, "pcimem: equal")
        assert memory("check", "8192", "4096", "8")[0] == 1
        memory("write", "8200", "1", str(int(memory("read", "8200", "1")[1], 16) ^ 1))
        assert memory("check", "8192", "4096", "7") == (1, "pcimem: FAILED: another number, at byte: error 8")

    def test_says_what_it_cannot_do(self, memory):
        assert memory("read", "0", "3") == (1, "pcimem: FAILED: a width is 1, 2, 4 or 8: error 0")
        assert memory("read", "0x", "4")[0] == 1
        assert memory("read")[0] == 2
