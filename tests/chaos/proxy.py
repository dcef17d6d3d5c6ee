"""A TCP proxy whose network can be cut, frozen or slowed while connections are open."""

import asyncio
import contextlib
import threading
from typing import Literal

Mode = Literal["pass", "cut", "frozen", "slow"]
CHUNK = 65_536


class Proxy:
    """Passes 127.0.0.1:port on to another port, in a thread of its own.

    Modes: ``pass``; ``cut`` resets what is open and refuses what is new; ``frozen`` keeps
    everything open and passes nothing, as a network that drops packets; ``slow`` passes each
    piece after 50 ms.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self._target = target
        self._mode: Mode = "pass"
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._moves = asyncio.Event()
        self._server: asyncio.Server | None = None
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10)

    def set(self, mode: Mode) -> None:
        """Change the network; returns when it is so."""

        async def change() -> None:
            self._mode = mode
            if mode == "cut":
                for writer in list(self._writers):
                    writer.transport.abort()
            if mode == "frozen":
                self._moves.clear()
            else:
                self._moves.set()

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(10)

    def close(self) -> None:
        """Cut everything and end the thread."""
        self.set("cut")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)

        async def listen() -> None:
            self._moves.set()
            self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
            started.set()

        self._loop.run_until_complete(listen())
        self._loop.run_forever()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode == "cut":
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        finally:
            self._writers -= {writer, far_writer}
            for one in (writer, far_writer):
                one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while piece := await reader.read(CHUNK):
                if self._mode == "slow":
                    await asyncio.sleep(0.05)
                await self._moves.wait()
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()
