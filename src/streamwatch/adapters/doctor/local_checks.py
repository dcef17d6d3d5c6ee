"""The mistakes that people make with the configuration and the machine."""

from collections.abc import Iterator

from streamwatch.adapters.doctor.check import Advice, Check
from streamwatch.adapters.doctor.local_facts import LocalFacts
from streamwatch.domain.tap_settings import Filter, TapSettings

LEAST_FILES = 1_024
OTHERS = 0o077


def _variables(facts: LocalFacts) -> Iterator[Advice]:
    for sentence in facts.unknown:
        yield Advice(
            sentence,
            "a misspelt variable changes nothing, and nobody is told while it runs",
            "put its name right, or unset it",
        )


def _taps(facts: LocalFacts) -> Iterator[Advice]:
    for tap in facts.taps:
        if _is_unbounded(tap):
            yield Advice(
                f"the tap {tap.name} takes every record of every shop, without a limit",
                "its tables grow as fast as the topic, and a slow database slows the worker",
                f"give {tap.name}.yaml a sample such as 1%, a rate, a budget or max_rows",
            )


def _is_unbounded(tap: TapSettings) -> bool:
    limits = (tap.rate, tap.budget, tap.max_rows, tap.max_bytes)
    return tap.sample >= 1 and tap.filter == Filter() and not any(limits)


def _key_mode(facts: LocalFacts) -> Iterator[Advice]:
    if facts.key_mode is not None and facts.key_mode & OTHERS:
        yield Advice(
            f"others may read the master key {facts.key_file} (mode {facts.key_mode:03o})",
            "whoever has it can tell which pseudonym a shopper has",
            f"run: chmod 600 {facts.key_file}",
            "error",
        )


def _key_shared(facts: LocalFacts) -> Iterator[Advice]:
    if facts.own_key and facts.workers > 1:
        yield Advice(
            f"{facts.workers} workers are named, and the master key is one of this host's own",
            "on another host a shopper gets another pseudonym, and nothing joins",
            "give all the same key: STREAMWATCH_PSEUDONYM_KEY or STREAMWATCH_PSEUDONYM_KEY_FILE",
        )


def _one_host(facts: LocalFacts) -> Iterator[Advice]:
    if facts.workers > 1 and facts.database.startswith("sqlite"):
        yield Advice(
            f"{facts.workers} workers are named, and the database is a SQLite file",
            "workers on other hosts cannot share it, and even here they wait for each other",
            "take PostgreSQL: STREAMWATCH_DATABASE=postgresql://USER@HOST/NAME",
        )


def _files(facts: LocalFacts) -> Iterator[Advice]:
    if 0 <= facts.open_files < LEAST_FILES:
        yield Advice(
            f"this process may open only {facts.open_files} files",
            "connections to brokers, the database and the pages are files too",
            f"run: ulimit -n {LEAST_FILES * 4}, or set LimitNOFILE of the service",
        )


def _zones(facts: LocalFacts) -> Iterator[Advice]:
    if not facts.zones:
        yield Advice(
            "no time zone of any shop is known, so that every day begins at midnight UTC",
            "a shop's busy evening is then split between two days",
            "add to streamwatch.yaml: shops: {default: {timezone: Europe/Berlin}}",
        )


def _faust(facts: LocalFacts) -> Iterator[Advice]:
    if facts.faust and facts.faust_needed and facts.faust != facts.faust_needed:
        yield Advice(
            f"faust-streaming {facts.faust} is installed; streamwatch is made for "
            f"{facts.faust_needed}",
            "it uses parts of Faust's consumer that nobody promises to keep, by which records "
            "are read once and no more",
            f"run: pip install faust-streaming=={facts.faust_needed}",
            "error",
        )


LOCAL: tuple[Check[LocalFacts], ...] = (
    Check("environment", "every STREAMWATCH_ variable is read", _variables),
    Check("taps", "no tap copies everything", _taps),
    Check("key-mode", "only its owner may read the master key", _key_mode),
    Check("key-shared", "all hosts have the same master key", _key_shared),
    Check("database-shared", "the database can be shared by all workers", _one_host),
    Check("faust", "Faust is the version that this one is made for", _faust),
    Check("open-files", "enough files may be open", _files),
    Check("time-zones", "days begin at the shops' own midnight", _zones),
)
