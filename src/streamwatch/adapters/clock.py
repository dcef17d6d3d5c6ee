"""The wall clock."""

import time


class WallClock:
    """A `runner.ports.Clock` that shows the time of this machine."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000
