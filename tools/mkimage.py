#!/usr/bin/env python3
"""Writes the boot volume: a disk image for a USB stick (FAT32, boots by UEFI and by legacy BIOS), or a hybrid ISO.

    mkimage.py [--output build/bulkhead.img] [--iso FILE] [--grub-uefi] [--manifest FILE] [--cmdline TEXT]
               [--add SOURCE=PATH] [--without PATH] [--initrd NAME] [--size MIB]

PATHs are relative to the volume's folder bulkhead/; --without takes shell patterns. Owns the volume's layout; what is
on it comes from `make` (its list: BUILD/image-files) and from guests/linux/build.py. Needs neither root nor mounts.

MBR, one active partition of type 0Ch from 1 MiB on: the form that old BIOSes, UEFI and other systems all take for a
stick. GRUB's core lies between the MBR and the partition (GRUB manual, "BIOS installation").
"""
import argparse
import fnmatch
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
GRUB = Path(os.environ.get("GRUB_FOLDER", "/usr/lib/grub"))
SECTOR = 512
PARTITION_SECTOR = 2048
DEFAULT_MIB = 128
MODULES = ["part_msdos", "part_gpt", "fat", "iso9660", "normal", "multiboot2", "regexp", "test", "echo", "sleep", "search",
           "search_fs_file", "all_video", "ls", "cat", "reboot", "halt", "configfile"]
BIOS_MODULES = MODULES + ["biosdisk", "vbe", "vga"]
UEFI_MODULES = MODULES + ["efi_gop", "efi_uga"]


class ImageError(Exception):
    pass


def run(words):
    answer = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False, env={**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C"})
    if answer.returncode != 0:
        raise ImageError(f"{words[0]} failed:\n{answer.stdout.strip()}")


def place_of(built):
    """Where a file that make built goes on the volume."""
    name = Path(built).name
    special = {"bootx64.efi": "EFI/BOOT/BOOTX64.EFI", "kernel.elf": "bulkhead/system/kernel",
               "multiboot2.elf": "bulkhead/system/multiboot2"}
    if name in special:
        return special[name]
    if name.endswith(".bin"):
        return f"bulkhead/{name[:-4]}/{name}"
    return f"bulkhead/system/{name}"


def without_debugging(path, work):
    """A program without what only debuggers read, which is four fifths of it: loaders read every byte into memory."""
    if not path.is_file() or path.read_bytes()[:4] != b"\x7fELF":
        return path
    run(["objcopy", "--strip-debug", str(path), str(work / path.name)])
    return work / path.name


def users_file(arguments, name, option):
    path = arguments.relative_to / name
    if not path.is_file():
        raise ImageError(f"{option}: there is no file {path}")
    return path


def collect(arguments, linux, work):
    """The volume's files: {path on the volume: file on this PC}; work: a folder for what must be made first."""
    listing = arguments.build / "image-files"
    if not listing.exists():
        raise ImageError(f"{listing} is missing: run make first")
    files = {place_of(path): without_debugging(Path(path), work) for path in listing.read_text().split()}
    if linux:
        files["bulkhead/linux/vmlinuz"] = linux / "vmlinuz"
        files["bulkhead/linux/initrd"] = linux / arguments.initrd
    if arguments.manifest:
        files["bulkhead/bulkhead.toml"] = users_file(arguments, arguments.manifest, "--manifest")
    if arguments.cmdline is not None:
        path = work / "cmdline.txt"
        path.write_text(arguments.cmdline + "\n")
        files["bulkhead/cmdline.txt"] = path
    for pattern in arguments.without:
        files = {path: source for path, source in files.items() if not fnmatch.fnmatch(path, f"bulkhead/{pattern}")}
    for source in files.values():
        if not source.is_file():
            raise ImageError(f"{source} is missing: run make first")
    for pair in arguments.add:
        source, separator, path = pair.rpartition("=")
        if not separator or not path or not source:
            raise ImageError(f"--add {pair}: expected SOURCE=PATH")
        files[f"bulkhead/{path}"] = users_file(arguments, source, f"--add {pair}")
    return files


def grub_image(build, platform, modules):
    """GRUB's core for one platform; made once and kept, since it depends on GRUB and this file only."""
    source = GRUB / platform
    if not source.is_dir():
        raise ImageError(f"{source} is missing: install grub-pc-bin and grub-efi-amd64-bin")
    result = build / f"grub-{platform}.image"
    newest = max((HERE / "mkimage.py").stat().st_mtime, (source / "modinfo.sh").stat().st_mtime)
    if result.exists() and result.stat().st_mtime >= newest:
        return result
    prefix = "(,msdos1)/boot/grub" if platform == "i386-pc" else "/boot/grub"
    temporary = result.with_suffix(f".{os.getpid()}")
    run(["grub-mkimage", "-d", str(source), "-O", platform, "-p", prefix, "-o", str(temporary), *modules])
    os.replace(temporary, result)
    return result


def stage(files, folder, copy=False):
    """The volume as a tree of links to the files, or of copies."""
    for path, source in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if copy:
            shutil.copyfile(source, target)
        else:
            target.symlink_to(source.resolve())


def master_boot_record(first_code, sectors):
    """GRUB's boot code (it reads its core from sector 1) and one active FAT32 partition."""
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x0c, b"\xfe\xff\xff", PARTITION_SECTOR, sectors - PARTITION_SECTOR)
    return first_code[:440] + struct.pack("<IH", 0x42484c4b, 0) + entry + bytes(48) + b"\x55\xaa"


def write_disk(files, build, output, mebibytes, grub_uefi):
    sectors = mebibytes * 2048
    core = grub_image(build, "i386-pc", BIOS_MODULES).read_bytes()
    if len(core) > (PARTITION_SECTOR - 1) * SECTOR:
        raise ImageError("GRUB's core does not fit before the partition")
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name, "tree")
        stage({**files, "boot/grub/grub.cfg": HERE / "grub.cfg"}, tree)
        if grub_uefi:
            target = tree / "EFI/BOOT/BOOTX64.EFI"
            target.unlink(missing_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(grub_image(build, "x86_64-efi", UEFI_MODULES).resolve())
        temporary = output.with_name(f".{output.name}.{os.getpid()}")
        try:
            with open(temporary, "wb") as file:
                file.write(master_boot_record((GRUB / "i386-pc/boot.img").read_bytes(), sectors))
                file.write(core)
                file.truncate(sectors * SECTOR)
            volume = f"{temporary}@@{PARTITION_SECTOR * SECTOR}"
            run(["mformat", "-i", volume, "-F", "-T", str(sectors - PARTITION_SECTOR), "-h", "255", "-s", "63",
                 "-H", str(PARTITION_SECTOR), "-v", "BULKHEAD", "-N", "42484c4b", "::"])
            run(["mcopy", "-i", volume, "-s", "-m", "-o", *sorted(str(path) for path in tree.iterdir()), "::"])
            os.replace(temporary, output)
        finally:
            temporary.unlink(missing_ok=True)


def write_iso(files, output):
    """A hybrid ISO by grub-mkrescue: boots from CD and from a stick, by UEFI and BIOS, through GRUB both times."""
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name, "tree")
        iso_files = {path: source for path, source in files.items() if not path.startswith("EFI/")}
        stage({**iso_files, "boot/grub/grub.cfg": HERE / "grub.cfg"}, tree, copy=True)
        temporary = output.with_name(f".{output.name}.{os.getpid()}")
        run(["grub-mkrescue", "--locales=", "--fonts=", "--themes=", "-o", str(temporary), str(tree), "--", "-volid", "BULKHEAD"])
        os.replace(temporary, output)


def size_for(files, wanted):
    """MiB of the volume: as asked, or enough for what is on it and as much again for the user."""
    total = sum(source.stat().st_size for source in files.values())
    return wanted or max(DEFAULT_MIB, (2 * total >> 20) + 48)


def parse_arguments(words=None):
    parser = argparse.ArgumentParser(description="Writes Bulkhead's boot volume.")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="where make built (build)")
    parser.add_argument("--linux", type=Path, help="folder with vmlinuz and initial RAM disks (the user's cache); '' for none")
    parser.add_argument("--initrd", default="initrd-devices", help="which of that folder's is linux/initrd (initrd-devices)")
    parser.add_argument("--output", type=Path, help="disk image to write (BUILD/bulkhead.img)")
    parser.add_argument("--iso", type=Path, help="write this hybrid ISO instead")
    parser.add_argument("--grub-uefi", action="store_true", help="GRUB also on UEFI, instead of Bulkhead's own loader")
    parser.add_argument("--manifest", help="bulkhead.toml of the volume ('' for none)", default=str(ROOT / "guests/bulkhead.toml"))
    parser.add_argument("--cmdline", help="kernel command line (bulkhead/cmdline.txt)")
    parser.add_argument("--add", action="append", default=[], metavar="SOURCE=PATH")
    parser.add_argument("--from", dest="relative_to", type=Path, default=Path(), metavar="FOLDER",
                        help="what SOURCEs and FILEs are relative to (the current folder)")
    parser.add_argument("--without", action="append", default=[], metavar="PATH")
    parser.add_argument("--size", type=int, help="MiB of the disk image")
    return parser.parse_args(words)


def linux_folder(chosen):
    if chosen is not None:
        return chosen if str(chosen) not in ("", ".") else None
    sys.path.insert(0, str(ROOT / "guests/linux"))
    import build as linux_build
    return linux_build.built()


def make_image(arguments):
    """Writes what the arguments ask for; returns the file."""
    linux = linux_folder(arguments.linux)
    with tempfile.TemporaryDirectory() as work:
        files = collect(arguments, linux, Path(work))
        if linux is None and arguments.linux is None and "linux/*" not in arguments.without:
            raise ImageError("the Linux guest is not built: run guests/linux/build.py (or ./dev image)")
        if arguments.iso:
            write_iso(files, arguments.iso)
            return arguments.iso
        output = arguments.output or arguments.build / "bulkhead.img"
        write_disk(files, arguments.build, output, size_for(files, arguments.size), arguments.grub_uefi)
        return output


def main():
    try:
        print(make_image(parse_arguments()))
    except ImageError as problem:
        print(f"tools/mkimage.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
