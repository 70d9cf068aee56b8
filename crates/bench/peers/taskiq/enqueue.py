"""taskiq's producer."""

import asyncio

import common
from app import TASKS, broker


async def main():
    await broker.startup()
    loop = asyncio.get_running_loop()
    send = lambda task, *args: asyncio.run_coroutine_threadsafe(TASKS[task].kiq(*args), loop).result()
    await asyncio.to_thread(common.produce, send)
    await broker.shutdown()


asyncio.run(main())
