#!/usr/bin/env python3
"""Takes Debian's memtest86+ into the user's cache: images by the Linux boot protocol, one 64-bit, one 32-bit. For a test.

    memtest.py          makes it if it is not there; prints the folder"""
import sys

import package

IMAGES = ("memtest86+x64.bin", "memtest86+ia32.bin")


def folder():
    """The folder with the images, made if need be."""
    return package.folder("memtest", "memtest86+", [f"boot/{name}" for name in IMAGES])


if __name__ == "__main__":
    try:
        print(folder())
    except package.FetchError as error:
        print(f"guests/memtest.py: {error}", file=sys.stderr)
        sys.exit(1)
