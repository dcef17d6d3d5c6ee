"""How much of a reading is learned."""

_PLAIN = 2.0


def learning_weight(deviation: float, *, unusual: bool) -> float:
    """Less the more it surprises, nothing if it is unusual.

    >>> learning_weight(1.0, unusual=False), learning_weight(-4.0, unusual=False)
    (1.0, 0.25)
    """
    if unusual:
        return 0.0
    distance = abs(deviation)
    return 1.0 if distance < _PLAIN else max(4 / (distance * distance), 0.1)
