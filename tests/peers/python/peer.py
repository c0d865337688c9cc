"""The package `websockets` as the other side: `peer.py serve` or `peer.py drive URL`.

What both modes do is written in ../README.md.
"""

import asyncio
import sys

import drive
import serve


def main():
    mode = sys.argv[1:2]
    if mode == ["serve"]:
        return asyncio.run(serve.serve())
    if mode == ["drive"] and len(sys.argv) == 3:
        return asyncio.run(drive.drive(sys.argv[2]))
    print("usage: peer.py serve | peer.py drive URL", file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        pass
