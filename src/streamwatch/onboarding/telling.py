"""How columns and shares are told in words."""

from streamwatch.onboarding.columns import Column
from streamwatch.onboarding.match import MOST_LABELS

LEAST_TOLD = 0.001


def shares(column: Column) -> str:
    """The most frequent values with their shares; of very many, only how many."""
    if column.distinct > MOST_LABELS:
        return f"{column.distinct:,} different, such as {column.top[0][0][:30]}"
    told = [f"{text[:30]} {percent(count / column.present)}" for text, count in column.top[:4]]
    more = column.distinct - len(told)
    return ", ".join(told) + (f" and {more:,} more" if more > 0 else "")


def percent(share: float) -> str:
    """A share as a person reads it.

    >>> percent(0.25), percent(0.0002)
    ('25.0%', 'less than 0.1%')
    """
    return f"{share:.1%}" if share >= LEAST_TOLD else "less than 0.1%"
