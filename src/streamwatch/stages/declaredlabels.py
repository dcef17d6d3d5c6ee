"""What a record's labels say, in one spelling, by rules that are not those of `normalise`.

As with `stages.declared`, on purpose: what the client sent is compared with what came out of our
stages, so it must not be read with the code that is looked at.
"""

from collections.abc import Callable

_LOWER = frozenset({"category", "fit_preference", "reason"})
_UPPER = frozenset({"size", "recommended_size", "currency"})
_GENDER_SPELLINGS = {
    "female": "f w woman women female",
    "male": "m man men male",
    "diverse": "d x diverse",
    "unisex": "u unisex",
}
_GENDERS = {spelt: name for name, some in _GENDER_SPELLINGS.items() for spelt in some.split()}


def declared_label(label: str, text: str | None) -> str:
    """A label's value as the record declares it; empty where it has none.

    >>> declared_label("gender", " W "), declared_label("size", "xl "), declared_label("size", None)
    ('female', 'XL', '')
    """
    if text is None:
        return ""
    return _READERS.get(label, str)(text)


def _gender(text: str) -> str:
    name = text.strip().lower()
    return _GENDERS.get(name, name)


_READERS: dict[str, Callable[[str], str]] = {
    "gender": _gender,
    **{label: lambda text: text.strip().lower() for label in _LOWER},
    **{label: lambda text: text.strip().upper() for label in _UPPER},
}
