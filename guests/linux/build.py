#!/usr/bin/env python3
"""Makes the Linux guest: Debian's stock kernel and a busybox user land, taken by apt, put together in the user's cache.

Owns vmlinuz, initrd.gz (a shell), initrd-devices (the same with the kernel's drivers of virtio devices loaded, and tools to try
them), initrd-benchmark.gz (prints the TSC and switches off) and `version`. Nothing is compiled but small programs: the benchmark's
first one, and commands at the shell. The kernel is Debian's file, unchanged, and so are its modules.

    build.py            make it if it is not there; prints the folder
    build.py --again    make it anew, with the kernel that Debian has today
    build.py --present  only say by the exit status whether it is there
"""
import contextlib
import gzip
import hashlib
import os
import re
import shutil
import stat
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import cache
import devices
from private_apt import FetchError, mirror, run, say, system_release, updated_apt

META_PACKAGE = "linux-image-cloud-amd64"
SUPPORTED_SUITES = ("bookworm", "trixie")
FREE_BYTES = 300_000_000
ETC_FILES = ("inittab", "start", "shell")
SHARED = ("program.h", "program.c")
SOURCES = ("build.py", "devices.py", *ETC_FILES, "devices", "benchmark_init.c", "smp_stress.c", *SHARED, "vsock.c", "pcimem.c",
           "pattern.c")


def recipe_hash():
    """Changes when this recipe does: the cache then makes the guest anew."""
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in SOURCES)).hexdigest()[:12]


def built():
    """The folder with the guest's files, or None."""
    current = cache.folder("linux") / f"current-{recipe_hash()}"
    return current.resolve() if (current / "version").exists() else None


class Initramfs:
    """Writes a cpio archive of format newc (Linux: Documentation/driver-api/early-userspace/buffer-format.rst).

    Files are given, not read from a tree: so device nodes need no root, and the same input makes the same bytes."""

    def __init__(self):
        self._parts = []
        self._count = 0

    def _add(self, name, mode, content=b"", device=(0, 0)):
        self._count += 1
        encoded = name.encode() + b"\0"
        numbers = [self._count, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(encoded), 0]
        header = b"070701" + b"".join(b"%08X" % number for number in numbers) + encoded
        self._parts += [header, bytes(-len(header) % 4), content, bytes(-len(content) % 4)]

    def folder(self, name):
        self._add(name, stat.S_IFDIR | 0o755)

    def file(self, name, content):
        self._add(name, stat.S_IFREG | 0o755, content)

    def link(self, name, target):
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name, major, minor):
        self._add(name, stat.S_IFCHR | 0o600, b"", (major, minor))

    def plain(self):
        self._add("TRAILER!!!", 0)
        return b"".join(self._parts)

    def compressed(self):
        return gzip.compress(self.plain(), 9, mtime=0)


def common_tree():
    archive = Initramfs()
    for name in ("bin", "sbin", "dev", "proc", "sys", "root", "tmp", "etc"):
        archive.folder(name)
    archive.character_device("dev/console", 5, 1)
    archive.character_device("dev/null", 1, 3)
    return archive


def compiled(work, name, *more):
    """A program of this folder without a libc; more: further sources of it."""
    program = work / name
    answer = run([*os.environ.get("CC", "gcc").split(), "-std=c11", "-O2", "-static", "-nostdlib", "-ffreestanding",
                  "-mgeneral-regs-only", "-fno-stack-protector", "-fcf-protection=none", "-Wl,--build-id=none", "-s",
                  "-I", str(HERE.parent.parent), "-o", str(program), *(str(HERE / f"{source}.c") for source in (name, *more))])
    if answer.returncode != 0:
        raise FetchError(f"guests/linux/{name}.c cannot be compiled:\n{answer.stdout.strip()}")
    return program.read_bytes()


def shell_tree(busybox, work):
    archive = common_tree()
    archive.file("bin/smp_stress", compiled(work, "smp_stress"))
    archive.file("bin/busybox", busybox.read_bytes())
    for applet in run([str(busybox), "--list"]).stdout.split():
        if applet != "busybox":
            archive.link(f"bin/{applet}", "busybox")
    for name in ETC_FILES:
        archive.file(f"etc/{name}", (HERE / name).read_bytes())
    archive.link("init", "bin/busybox")
    return archive


def devices_initramfs(busybox, kernel, mke2fs, work):
    """mke2fs: the folder of its package and of those that it depends on, unpacked."""
    archive = shell_tree(busybox, work)
    archive.file("etc/devices", (HERE / "devices").read_bytes())
    for folder in ("lib", "lib/modules", "lib/x86_64-linux-gnu", "lib64"):
        archive.folder(folder)
    modules = devices.Modules(kernel).in_order()
    for name, content in modules:
        archive.file(f"lib/modules/{name}", content)
    archive.file("lib/modules/order", "".join(f"{name}\n" for name, _ in modules).encode())
    for path, content in devices.program_with_libraries(mke2fs, single(mke2fs, "**/sbin/mke2fs")).items():
        archive.file(path, content)
    archive.link("sbin/mkfs.ext4", "mke2fs")
    for name in ("vsock", "pcimem", "pattern"):
        archive.file(f"bin/{name}", compiled(work, name, "program"))
    # Compressed it is 3.4 MB shorter, and its boot takes 60 million ticks longer.
    return archive.plain()


def benchmark_initramfs(work):
    archive = common_tree()
    archive.file("init", compiled(work, "benchmark_init"))
    return archive.compressed()


def kernel_package(apt):
    """The real package behind the meta package: the kernel's version is part of its name."""
    answer = run(["apt-cache", "show", META_PACKAGE], env=apt.environment).stdout
    found = re.search(r"^Depends:.*?\b(linux-image-[\w.+-]+-cloud-amd64(?:-unsigned)?)\b", answer, re.MULTILINE)
    if not found:
        raise FetchError(f"apt does not know {META_PACKAGE}")
    return found.group(1)


def unpacked(package, folder):
    answer = run(["dpkg-deb", "-x", str(package), str(folder)])
    if answer.returncode != 0:
        raise FetchError(f"{package.name} cannot be unpacked:\n{answer.stdout.strip()}")
    return folder


def unpacked_with_dependencies(apt, package, folder):
    before = set(apt.folder.glob("archives/*.deb"))
    for path in sorted(set(apt.download_with_dependencies([package]).glob("*.deb")) - before):
        unpacked(path, folder)
    return folder


def single(folder, pattern):
    found = sorted(folder.glob(pattern))
    if not found:
        raise FetchError(f"the package has no file {pattern}")
    return found[0]


def build_into(result, work):
    release = system_release()
    suite = release.get("VERSION_CODENAME")
    suite = suite if suite in SUPPORTED_SUITES else SUPPORTED_SUITES[-1]
    uri = mirror()
    say(f"Making the Linux guest: kernel and busybox of Debian {suite} from {uri}, about 50 MB to fetch, 25 MB on disk")
    apt = updated_apt(work / "apt", uri, suite)
    name = kernel_package(apt)
    kernel = unpacked(apt.download(name), work / "kernel")
    busybox = single(unpacked(apt.download("busybox-static"), work / "busybox"), "**/bin/busybox")
    mke2fs = unpacked_with_dependencies(apt, "e2fsprogs", work / "mke2fs")
    shutil.copyfile(single(kernel, "boot/vmlinuz-*"), result / "vmlinuz")
    (result / "initrd.gz").write_bytes(shell_tree(busybox, work).compressed())
    (result / "initrd-devices").write_bytes(devices_initramfs(busybox, kernel, mke2fs, work))
    (result / "initrd-benchmark.gz").write_bytes(benchmark_initramfs(work))
    (result / "version").write_text(f"{name} of Debian {suite}\n")
    say(f"  the guest's kernel is {name}")


def remove_left_over(base):
    """Removes what no link names: earlier guests of a recipe that was made again, and what killed runs left."""
    named = {link.resolve() for link in base.iterdir() if link.is_symlink()}
    for path in base.iterdir():
        if path.is_dir() and not path.is_symlink() and path.resolve() not in named:
            shutil.rmtree(path, ignore_errors=True)


def build(again=False):
    """The folder with the guest's files, made if need be."""
    base = cache.folder("linux")
    if built() and not again:
        return built()
    with cache.locked(base / ".lock"):
        if built() and not again:
            return built()
        free = shutil.disk_usage(base).free
        if free < FREE_BYTES:
            raise FetchError(f"{base} has {free / 1e9:.2f} GB free; the Linux guest needs {FREE_BYTES / 1e9:.2f} GB")
        remove_left_over(base)
        result = Path(tempfile.mkdtemp(prefix="linux-", dir=base))
        result.chmod(0o755)
        try:
            with tempfile.TemporaryDirectory(dir=base) as work:
                build_into(result, Path(work))
        except BaseException:
            shutil.rmtree(result, ignore_errors=True)
            raise
        cache.replace_link(base / f"current-{recipe_hash()}", result.name)
        return result


def main():
    words = sys.argv[1:]
    if "--present" in words:
        return 0 if built() else 1
    cache.end_in_order()
    try:
        print(build(again="--again" in words))
    except FetchError as error:
        say(f"guests/linux/build.py: {error}")
        return 1
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
