"""Async tests run on asyncio without a mark, also after a module that used the browser."""

import asyncio


async def test_async_tests_run_on_asyncio() -> None:
    """The running loop is asyncio's."""
    task = asyncio.current_task()

    await asyncio.sleep(0)

    assert task is not None
