#!/usr/bin/env python3
"""Takes Debian's UEFI firmware OVMF into the user's cache, the image with code and variables in one. For tests.

    ovmf.py             makes it if it is not there; prints the file"""
import sys

import package


def file():
    """OVMF.fd, fetched if need be: 2 MiB of Debian 12, 4 MiB of later ones."""
    return package.folder("ovmf", "ovmf", ["usr/share/ovmf/OVMF.fd"]) / "OVMF.fd"


if __name__ == "__main__":
    try:
        print(file())
    except package.FetchError as error:
        print(f"guests/ovmf.py: {error}", file=sys.stderr)
        sys.exit(1)
