#!/usr/bin/env python3
"""Takes Debian's memtest86+ into the user's cache: images by the Linux boot protocol, one 64-bit, one 32-bit. For a test.

    memtest.py          makes it if it is not there; prints the folder"""
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import cache
from private_apt import FetchError, mirror, run, say, system_release, updated_apt

PACKAGE = "memtest86+"
IMAGES = ("memtest86+x64.bin", "memtest86+ia32.bin")
SUITES = ("bookworm", "trixie")


def fetch_into(result, work):
    suite = system_release().get("VERSION_CODENAME")
    apt = updated_apt(work / "apt", mirror(), suite if suite in SUITES else SUITES[-1])
    answer = run(["dpkg-deb", "-x", str(apt.download(PACKAGE)), str(work / "files")])
    if answer.returncode != 0:
        raise FetchError(f"{PACKAGE} cannot be unpacked:\n{answer.stdout.strip()}")
    for name in IMAGES:
        shutil.copyfile(work / "files/boot" / name, result / name)


def folder():
    """The folder with the images, made if need be."""
    base = cache.folder("memtest")
    with cache.locked(base / ".lock"):
        result = base / "current"
        if not result.exists():
            with tempfile.TemporaryDirectory(dir=base) as work:
                made = Path(work, "made")
                made.mkdir()
                fetch_into(made, Path(work))
                made.rename(result)
        return result


if __name__ == "__main__":
    try:
        print(folder())
    except FetchError as error:
        say(f"guests/memtest.py: {error}")
        sys.exit(1)
