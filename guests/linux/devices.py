"""What the Linux guest with devices has beside the shell: the stock kernel's own modules and Debian's mke2fs, from their packages.

Owns which modules and in which order they load, and which libraries a program needs. Does not fetch (build.py)."""
import lzma
import re
from pathlib import Path

from private_apt import FetchError, run

# Loaded at boot with all that they need, if the kernel has not built them in. The second list may be missing.
DRIVERS = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "virtio_rng", "virtio_balloon",
           "vmw_vsock_virtio_transport", "ext4", "af_packet")
FASTER = ("crc32c_intel",)
LOADER = "ld-linux-x86-64.so.2"


def module_name(path):
    """As the kernel calls it: virtio-rng.ko.xz is virtio_rng."""
    return Path(path).name.partition(".ko")[0].replace("-", "_")


def module_content(path):
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == ".xz" else content


class Modules:
    """The modules of an unpacked kernel package. What each needs it says itself, in its section .modinfo; modules.dep is made only
    where a package is installed."""

    def __init__(self, kernel):
        self._files = {module_name(path): path for path in kernel.glob("**/lib/modules/*/kernel/**/*.ko*")}
        builtin = next(iter(kernel.glob("**/lib/modules/*/modules.builtin")), None)
        if not self._files or builtin is None:
            raise FetchError("the kernel's package has no modules")
        self._builtin = {module_name(line) for line in builtin.read_text().split()}

    def in_order(self):
        """[(file name, content)]: each stands behind those it needs."""
        found = {}
        for name in DRIVERS:
            self._collect(name, found)
        for name in FASTER:
            if name in self._files:
                self._collect(name, found)
        return [(f"{name}.ko", content) for name, content in found.items()]

    def _collect(self, name, found):
        if name in found or name in self._builtin:
            return
        if name not in self._files:
            raise FetchError(f"the kernel has no module {name}")
        content = module_content(self._files[name])
        needs = re.search(rb"\0depends=([^\0]*)\0", content)
        for needed in (needs.group(1).decode() if needs else "").split(","):
            if needed:
                self._collect(needed.replace("-", "_"), found)
        found[name] = content


def library(folder, name):
    found = sorted(folder.glob(f"**/x86_64-linux-gnu/{name}"))
    if not found:
        raise FetchError(f"no package has the library {name}")
    return found[0]


def program_with_libraries(folder, program):
    """A program of unpacked packages and the libraries it needs: {path in the guest: content}."""
    files = {f"lib64/{LOADER}": library(folder, LOADER).read_bytes()}
    waiting = [program]
    while waiting:
        path = waiting.pop()
        answer = run(["readelf", "-d", str(path)])
        if answer.returncode != 0:
            raise FetchError(f"{path.name} cannot be read:\n{answer.stdout.strip()}")
        for name in re.findall(r"\(NEEDED\).*\[(\S+)\]", answer.stdout):
            place = f"lib/x86_64-linux-gnu/{name}"
            if name != LOADER and place not in files:
                waiting.append(library(folder, name))
                files[place] = waiting[-1].read_bytes()
    files[f"sbin/{program.name}"] = program.read_bytes()
    return files
