#!/usr/bin/env python3
"""Puts Bochs 3.1 (the emulator that knows VT-x) and OVMF (UEFI firmware for it) into the user's cache folder.

Takes Debian's own packages by a private apt configuration: needs no root and does not touch the system. Checks what it
got by running it, and only then replaces what was there before. The emulator starts through its own program loader and
libraries, so it runs on an older Debian. Does not run machines: tools/emulator.py does.

    fetch.py            fetch if it is not there; prints the folder
    fetch.py --again    fetch even so
    fetch.py --present  only say by the exit status whether it is there
"""
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import cache
from private_apt import FetchError, mirror, run, say, updated_apt

HERE = Path(__file__).resolve().parent
PACKAGES = ["bochs", "bochs-term+", "bochs-x+", "bochs-wx-", "bochsbios", "vgabios", "ovmf-generic"]
SUITES = ["testing", "unstable"]
NEEDED_VERSION = (3, 1)
# Of the packages' 270 MB only this is kept.
KEPT = ["usr/bin/bochs-bin", "usr/lib64", "usr/lib/x86_64-linux-gnu", "usr/share/bochs", "usr/share/vgabios", "usr/share/seabios",
        "usr/share/ovmf", "usr/share/X11",
        "usr/share/terminfo", "usr/lib/terminfo", "etc/fonts", "usr/share/doc/bochs/copyright",
        "usr/share/doc/ovmf-generic/copyright"]
FREE_BYTES = 1 << 30


def command_of(root):
    """The words that start Bochs of an unpacked root, and what must be in its environment."""
    library = root / "usr/lib/x86_64-linux-gnu"
    words = [str(root / "usr/lib64/ld-linux-x86-64.so.2"), "--library-path", str(library),
             "--preload", str(root / cure_name()), str(root / "usr/bin/bochs-bin")]
    environment = {"LTDL_LIBRARY_PATH": str(library / "bochs/plugins"), "BXSHARE": str(root / "usr/share/bochs"),
                   "TERMINFO_DIRS": f"{root}/usr/share/terminfo:{root}/usr/lib/terminfo:/usr/share/terminfo:/lib/terminfo"}
    return words, environment


def installed():
    """The folder of the working emulator, or None. A clone whose cure is another one gets its own there."""
    root = cache.folder("bochs") / "current"
    if not (root / "works").exists():
        return None
    root = root.resolve()
    if not (root / cure_name()).exists():
        build_cure(root)
    return root


CURE_SOURCES = ("cure.c", "poison.c", "serial_write.c")


def cure_name():
    sources = b"".join(path.read_bytes() for path in sorted(HERE.glob("*.[ch]")))
    return f"cure-{hashlib.sha256(sources).hexdigest()[:10]}.so"


def unpack(archives, root):
    """Unpacks every package and keeps only what Bochs needs to run."""
    with tempfile.TemporaryDirectory(dir=root.parent) as everything:
        for package in sorted(archives.glob("*.deb")):
            answer = run(["dpkg-deb", "-x", str(package), everything])
            if answer.returncode != 0:
                raise FetchError(f"{package.name} cannot be unpacked:\n{answer.stdout.strip()}")
            package.unlink()
        for name in KEPT:
            source = Path(everything, name)
            if source.exists() or source.is_symlink():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                os.rename(source, root / name)


def build_cure(root):
    compiler = os.environ.get("CC", "gcc").split()
    temporary = root / f".cure.{os.getpid()}"
    answer = run([*compiler, "-std=c11", "-O2", "-shared", "-fPIC", "-I", str(HERE.parent.parent), "-o",
                  str(temporary), *(str(HERE / name) for name in CURE_SOURCES), "-ldl", "-lpthread"])
    if answer.returncode != 0:
        raise FetchError(f"tools/bochs/*.c cannot be compiled:\n{answer.stdout.strip()}")
    os.replace(temporary, root / cure_name())


def version_of(root):
    words, environment = command_of(root)
    answer = run([*words, "--help"], env={**os.environ, **environment})
    found = re.search(r"Bochs x86 Emulator (\d+)\.(\d+)", answer.stdout)
    if not found:
        raise FetchError(f"the fetched Bochs does not start:\n{answer.stdout.strip()[-1500:]}")
    return int(found.group(1)), int(found.group(2))


# xor si,si; again: mov al,[cs:si+text]; inc si; mov dx,8900h; out dx,al; jmp again (16-bit, loaded at 7C00h).
POWER_OFF_SECTOR = bytes.fromhex("31f6 2e8a84107c 46 ba0089 ee ebf4 9090").ljust(16, b"\x90") + b"Shutdown"


def check_runs(root):
    """Starts a machine from power-on: a boot sector switches it off through port 8900h."""
    words, environment = command_of(root)
    with tempfile.TemporaryDirectory() as folder:
        disk = Path(folder, "disk.img")
        disk.write_bytes(POWER_OFF_SECTOR.ljust(510, b"\0") + b"\x55\xaa" + bytes(16 * 63 * 512 * 2 - 512))
        Path(folder, "bochsrc").write_text(f"""
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1, iodebug=0
config_interface: textconfig
display_library: term
megs: 64
romimage: file={root}/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file={root}/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=disk, path={disk}, mode=volatile, cylinders=2, heads=16, spt=63
boot: disk
cpu: model=corei7_skylake_x, count=1, ips=200000000
clock: sync=none
log: {folder}/log
panic: action=fatal
error: action=report
""")
        try:
            subprocess.run([*words, "-q", "-unlock", "-f", f"{folder}/bochsrc"], env={**os.environ, **environment, "TERM": "vt100"},
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           timeout=120, check=False)
        except subprocess.TimeoutExpired:
            raise FetchError("the fetched Bochs does not end a machine that was switched off") from None
        log = Path(folder, "log").read_text(errors="replace") if Path(folder, "log").exists() else ""
        if "shutdown requested" not in log.lower():
            raise FetchError(f"the fetched Bochs does not run a boot sector:\n{log[-1500:]}")


def fetch_suite(uri, suite, base):
    """Fetches from one suite into a new folder below base and returns it, checked. Nothing else is touched."""
    work = Path(tempfile.mkdtemp(prefix=".new-", dir=base))
    try:
        apt = updated_apt(work / "apt", uri, suite)
        count, size_bytes = apt.plan(PACKAGES)
        say(f"  {count} packages of Debian {suite}, {size_bytes / 1e6:.0f} MB to fetch, about 250 MB on disk in {base}")
        root = work / "root"
        root.mkdir()
        unpack(apt.download_with_dependencies(PACKAGES), root)
        build_cure(root)
        version = version_of(root)
        if version < NEEDED_VERSION:
            raise FetchError(f"{uri} ({suite}) has Bochs {version[0]}.{version[1]}; "
                             f"{NEEDED_VERSION[0]}.{NEEDED_VERSION[1]} is needed to boot UEFI")
        check_runs(root)
        (root / "works").write_text(f"Bochs {version[0]}.{version[1]} of Debian {suite}\n")
        final = base / work.name.replace(".new-", f"{version[0]}.{version[1]}-")
        os.rename(root, final)
        return final
    finally:
        shutil.rmtree(work, ignore_errors=True)


def remove_old(base, current):
    """Removes what earlier or interrupted fetches left, except what a running emulator still uses."""
    for path in base.iterdir():
        if path.is_dir() and not path.is_symlink() and path != current:
            with contextlib.suppress(OSError), cache.locked(path / ".in-use", wait=False) as taken:
                if taken:
                    shutil.rmtree(path, ignore_errors=True)


def fetch(again=False):
    """The folder of a working emulator, fetched if need be."""
    base = cache.folder("bochs")
    if installed() and not again:
        return installed()
    with cache.locked(base / ".lock"):
        if installed() and not again:
            return installed()
        free = shutil.disk_usage(base).free
        if free < FREE_BYTES:
            raise FetchError(f"{base} has {free / 1e9:.1f} GB free; Bochs needs {FREE_BYTES / 1e9:.1f} GB")
        remove_old(base, installed())
        uri = mirror()
        say(f"Fetching the emulator Bochs and UEFI firmware from {uri}")
        problems = []
        for suite in SUITES:
            try:
                final = fetch_suite(uri, suite, base)
                cache.replace_link(base / "current", final.name)
                remove_old(base, final)
                return final
            except FetchError as error:
                problems.append(f"{suite}: {error}")
        raise FetchError("\n".join(problems))


def main():
    words = sys.argv[1:]
    if "--present" in words:
        return 0 if installed() else 1
    cache.end_in_order()
    try:
        print(fetch(again="--again" in words))
    except FetchError as error:
        say(f"tools/bochs/fetch.py: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
