"""Connects to HOST PORT with asyncio, by a socket that does not block, and waits."""

import asyncio
import sys


async def main():
    reader, _ = await asyncio.open_connection(sys.argv[1], int(sys.argv[2]))
    await reader.read()


asyncio.run(main())
