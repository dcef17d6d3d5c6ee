"""A proposal as the text of ``streamwatch.yaml`` and, where it is needed, of a routes file."""

import json
import re
import textwrap
from collections.abc import Iterator

from streamwatch.domain.settings import KafkaSettings
from streamwatch.domain.source_settings import FieldMapping, Rule
from streamwatch.onboarding.proposal import Proposal, Source

WIDTH = 100
_COLUMN = 46
"""Where comments behind a value begin, if there is room."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./ -]*[A-Za-z0-9_]|[A-Za-z]")
_BREAKS = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff]")
_UNSHOWN = re.compile(r"[^\x20-\x7e\u00a0-\u2027\u202a-\ufefe]+")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def settings_text(proposal: Proposal, kafka: KafkaSettings | None = None) -> str:
    """The text of ``streamwatch.yaml``; comments say why.

    Args:
        proposal: what to write.
        kafka: the broker that was asked, if one was; its password is no part of it.
    """
    lines = [*_head(proposal), ""]
    if kafka is not None:
        lines += [*_kafka(kafka), ""]
    lines.append("sources:")
    for source in proposal.sources:
        lines += _source(source)
    lines += ["", *_rules(proposal)]
    lines += ["", *_shops(proposal), "", *_segments(proposal), "", *_currencies(proposal)]
    return "\n".join(lines) + "\n"


def routes_text(proposal: Proposal) -> str:
    """The text of a routes file: which topic a line belongs to, and its id."""
    lines = [f"# Which topic each line of {proposal.name} belongs to; made by `streamwatch init`."]
    lines.append("routes:")
    split = proposal.split
    if split is not None:
        lines += _comment(
            f"{split.records:.1%} of the lines begin so; quantity is below zero in "
            f"{split.pure:.1%} of them, which is {split.found:.1%} of all quantities below zero",
            "  ",
        )
        pattern = _quoted(re.escape(split.beginning) + ".*")
        field = scalar(split.path)
        lines.append(f"  - {{topic: return, field: {field}, pattern: {pattern}}}")
        lines.append("  - {topic: purchase}")
    else:
        lines.append(f"  - {{topic: {scalar(proposal.sources[0].topic)}}}")
    if proposal.line_ids:
        lines += _comment(
            "No column differs in every line, so that a line gets FILE:LINE as its id."
        )
        lines.append("line_id: event_id")
    return "\n".join(lines) + "\n"


def scalar(text: str) -> str:
    """A text as a value of a YAML file, in quotes where it needs them.

    >>> scalar("body.height"), scalar("no"), scalar("a: b"), scalar("42")
    ('body.height', '"no"', '"a: b"', '"42"')
    """
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else _quoted(text)


def _quoted(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _head(proposal: Proposal) -> Iterator[str]:
    yield from _comment(
        f"Proposed by `streamwatch init` from {proposal.name}; every value is a guess with its "
        "reason beside it. Check with `streamwatch config check`; all settings stand in "
        "docs/configuration.md."
    )
    for note in (*proposal.notes, *(note for one in proposal.sources for note in one.notes)):
        yield "#"
        yield from _comment(f"Look at this: {note}")


def _kafka(kafka: KafkaSettings) -> Iterator[str]:
    """What of the broker is not the default."""
    yield "kafka:"
    yield f"  bootstrap: {_quoted(kafka.bootstrap)}"
    usual = KafkaSettings()
    for name in kafka.__struct_fields__:
        value = getattr(kafka, name)
        if name != "bootstrap" and isinstance(value, str | bool) and value != getattr(usual, name):
            yield f"  {name}: {_quoted(value) if isinstance(value, str) else str(value).lower()}"


def _source(source: Source) -> Iterator[str]:
    yield from _comment(
        f"{source.records:,} of {source.seen:,} records were looked at"
        f"{f', from {source.first} to {source.last}' if source.first else ''}. {source.shops}",
        "  ",
    )
    yield f"  - topic: {scalar(source.topic)}"
    yield _beside(f"    event: {source.event}", source.event_why)
    if source.form != "json":
        yield f"    format: {source.form}"
    if source.lenient:
        yield _beside("    types: lenient", "numbers stand there as text")
    fields = [one for one in source.fields if _is_needed(one.field, one.mapping)]
    if fields:
        yield "    fields:"
    for field in fields:
        yield _beside(f"      {field.field}: {_mapping(field.mapping)}", field.why)
    same = [one for one in source.fields if not _is_needed(one.field, one.mapping)]
    if same:
        yield "    # Under their own names:"
        for field in same:
            yield from _comment(f"{field.field}: {field.why}", "      ")
    if source.unused:
        yield from _comment(f"No field for: {', '.join(source.unused)}", "    ")


def _is_needed(field: str, mapping: FieldMapping) -> bool:
    return mapping != FieldMapping(path=field)


def _mapping(mapping: FieldMapping) -> str:
    if mapping == FieldMapping(path=mapping.path) and mapping.path is not None:
        return scalar(mapping.path)
    parts = []
    if mapping.path is not None:
        parts.append(f"path: {scalar(mapping.path)}")
    if mapping.constant is not None:
        parts.append(f"constant: {_quoted(str(mapping.constant))}")
    if mapping.unit is not None:
        parts.append(f"unit: {mapping.unit}")
    if mapping.unit_path is not None:
        parts.append(f"unit_path: {scalar(mapping.unit_path)}")
    return f"{{{', '.join(parts)}}}"


def _rules(proposal: Proposal) -> Iterator[str]:
    if not proposal.rules:
        yield "rules: []"
        return
    yield from _comment(
        "`mark` counts a violation and keeps the record; make it `reject` to take such records "
        "out. Body measures are best only marked: a rejected record cannot move a mean."
    )
    yield "rules:"
    for proposed in proposal.rules:
        rule = proposed.rule
        yield f"  - name: {rule.name}"
        yield f"    event: {rule.event}"
        yield f"    field: {rule.field}"
        yield from _beneath(f"    {_kind(rule)}", proposed.why)
        yield f"    action: {rule.action}"


def _kind(rule: Rule) -> str:
    if rule.range is not None:
        low, high = (f"{bound:.12g}" for bound in rule.range)
        return f"range: [{low}, {high}]"
    if rule.allowed is not None:
        return f"allowed: [{', '.join(map(scalar, rule.allowed))}]"
    return "required: true"


def _shops(proposal: Proposal) -> Iterator[str]:
    if proposal.zone_unknown:
        yield from _comment(
            "The times carry no offset from UTC: name the zone in which they are written, such as "
            "Europe/Berlin, or days will begin and end at the wrong hour."
        )
        yield "shops:"
        yield "  default: {timezone: UTC}"
    else:
        yield from _comment("A day of a shop begins at midnight in its own zone:")
        yield "#   shop-001: {timezone: Europe/Berlin}"
        yield "shops: {}"


def _segments(proposal: Proposal) -> Iterator[str]:
    yield from _comment("Each shop is judged as a whole and by the values of these labels.")
    for segment in proposal.segments:
        yield from _comment(f"{segment.label}: {segment.why}")
    yield f"segments: [{', '.join(one.label for one in proposal.segments)}]"


def _currencies(proposal: Proposal) -> Iterator[str]:
    if not proposal.currencies:
        yield "# currencies: [EUR]    # none was seen; prices in any other are refused"
        return
    yield from _comment(f"Prices in any other are refused. Seen: {proposal.currencies_why}")
    yield f"currencies: [{', '.join(map(scalar, proposal.currencies))}]"


def _beside(text: str, why: str) -> str:
    """A comment behind a value, or above it where the line would be too long."""
    why = _UNSHOWN.sub(" ", why).strip()
    padded = text.ljust(_COLUMN)
    line = f"{padded}# {why}" if padded[-1] == " " else f"{text}  # {why}"
    if len(line) <= WIDTH:
        return line
    indent = text[: len(text) - len(text.lstrip())]
    return "\n".join([*_comment(why, indent), text])


def _beneath(text: str, why: str) -> Iterator[str]:
    yield from _beside(text, why).splitlines()


def _comment(text: str, indent: str = "") -> list[str]:
    clean = _UNSHOWN.sub(" ", text).strip()
    return [f"{indent}# {line}" for line in textwrap.wrap(clean, WIDTH - len(indent) - 2)]
