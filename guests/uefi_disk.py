#!/usr/bin/env python3
"""Makes a disk from which UEFI firmware boots a guest: one FAT partition with GRUB as its loader, Debian's kernel and the initrd of
the Linux guest (guests/linux/). GRUB is put together here, of Debian's package grub-efi-amd64-bin.

    uefi_disk.py FILE         writes the image"""
import struct
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import mkimage

SECTOR = 512
PARTITION_SECTOR = 2048
EFI_SYSTEM = 0xef           # type of partition; UEFI Specification, "Legacy Master Boot Record (MBR)"
SPARE_MIB = 2               # for the file system itself
MODULES = ["part_msdos", "fat", "normal", "configfile", "search", "search_fs_file", "echo", "linux"]
GREETING = "GRUB was started by UEFI"
CONFIGURATION = f"""echo "{GREETING}"
linux /linux/vmlinuz console=ttyS0 quiet
initrd /linux/initrd.gz
boot
"""


def partition_table(sectors):
    """A master boot record without code and with one partition; firmware looks for the type only."""
    entry = struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", EFI_SYSTEM, b"\xfe\xff\xff", PARTITION_SECTOR, sectors - PARTITION_SECTOR)
    return bytes(440) + struct.pack("<IH", 0x42484c4b, 0) + entry + bytes(48) + b"\x55\xaa"


def make_loader(path):
    """GRUB for the firmware, which takes its configuration from the partition it was loaded from."""
    mkimage.run(["grub-mkimage", "-d", str(mkimage.GRUB / "x86_64-efi"), "-O", "x86_64-efi", "-p", "/grub", "-o", str(path),
                 *MODULES])


def make(output, linux):
    """Writes the image; linux: the folder with vmlinuz and initrd.gz."""
    with tempfile.TemporaryDirectory() as work:
        tree = Path(work, "tree")
        for folder in ("EFI/BOOT", "grub", "linux"):
            (tree / folder).mkdir(parents=True)
        make_loader(tree / "EFI/BOOT/BOOTX64.EFI")
        (tree / "grub/grub.cfg").write_text(CONFIGURATION)
        for name in ("vmlinuz", "initrd.gz"):
            (tree / "linux" / name).write_bytes((linux / name).read_bytes())
        content = sum(file.stat().st_size for file in tree.rglob("*") if file.is_file())
        sectors = PARTITION_SECTOR + ((content >> 20) + 1 + SPARE_MIB) * 2048
        with open(output, "wb") as file:
            file.write(partition_table(sectors))
            file.truncate(sectors * SECTOR)
        volume = f"{output}@@{PARTITION_SECTOR * SECTOR}"
        mkimage.run(["mformat", "-i", volume, "-T", str(sectors - PARTITION_SECTOR), "-h", "64", "-s", "32",
                     "-H", str(PARTITION_SECTOR), "-v", "GUEST", "-N", "42484c4b", "::"])
        mkimage.run(["mcopy", "-i", volume, "-s", "-m", *sorted(str(path) for path in tree.iterdir()), "::"])


if __name__ == "__main__":
    try:
        make(Path(sys.argv[1]), mkimage.linux_folder(None))
    except mkimage.ImageError as error:
        print(f"guests/uefi_disk.py: {error}", file=sys.stderr)
        sys.exit(1)
