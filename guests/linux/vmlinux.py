#!/usr/bin/env python3
"""Takes the ELF kernel out of a bzImage, for the test that boots Debian's kernel by its PVH entry.

    vmlinux.py VMLINUZ VMLINUX

Source: Linux, Documentation/arch/x86/boot.rst, "Details of Header Fields": payload_offset, payload_length."""
import gzip
import lzma
import struct
import subprocess
import sys
from pathlib import Path

SETUP_SECTS, PAYLOAD_OFFSET, PAYLOAD_LENGTH = 0x1f1, 0x248, 0x24c
SECTOR = 512
SIZE_BYTES = 4  # all but gzip carry the unpacked size behind them, as the kernel's unpacker wants it


class PayloadError(Exception):
    """The file is no bzImage with a payload that can be unpacked."""


def by_tool(*words):
    """A packaged tool that reads the payload and writes the kernel."""
    def unpack(payload):
        answer = subprocess.run(words, input=payload, capture_output=True, check=False)
        if answer.returncode != 0:
            raise PayloadError(f"{words[0]} failed: {answer.stderr.decode(errors='replace').strip()}")
        return answer.stdout
    return unpack


UNPACKERS = {
    b"\x1f\x8b": gzip.decompress,
    b"\xfd7zXZ": lzma.decompress,
    b"\x02\x21\x4c\x18": by_tool("lz4", "-dc"),
    b"\x28\xb5\x2f\xfd": by_tool("zstd", "-dc"),
}


def payload_of(image):
    """The compressed kernel, without the size behind it, and that size."""
    if image[0x202:0x206] != b"HdrS":
        raise PayloadError("not a bzImage")
    code = ((image[SETUP_SECTS] or 4) + 1) * SECTOR
    offset, length = (struct.unpack_from("<I", image, at)[0] for at in (PAYLOAD_OFFSET, PAYLOAD_LENGTH))
    payload = image[code + offset:code + offset + length]
    if length < SIZE_BYTES or len(payload) < length:
        raise PayloadError("the payload is not all there")
    return payload[:-SIZE_BYTES], struct.unpack("<I", payload[-SIZE_BYTES:])[0]


def unpacked(image):
    """The ELF file in a bzImage's bytes."""
    payload, size = payload_of(image)
    unpack = next((unpack for magic, unpack in UNPACKERS.items() if payload.startswith(magic)), None)
    if unpack is None:
        raise PayloadError(f"compressed in an unknown way: {payload[:6].hex()}")
    kernel = unpack(payload if unpack != gzip.decompress else payload + struct.pack("<I", size))
    if not kernel.startswith(b"\x7fELF") or len(kernel) != size:
        raise PayloadError("what was unpacked is no whole ELF file")
    return kernel


def main():
    source, target = map(Path, sys.argv[1:])
    target.write_bytes(unpacked(source.read_bytes()))


if __name__ == "__main__":
    main()
