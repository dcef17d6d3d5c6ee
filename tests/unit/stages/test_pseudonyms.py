"""Pseudonyms join a shopper's events within one shop, and nowhere else."""

import pytest

from streamwatch.domain.events import Event, Purchase, Return, WidgetEvent
from streamwatch.stages.pseudonymise import compile_pseudonymise
from streamwatch.stages.underway import Stage, Underway

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def pseudonym(event: Event, shopper: str | None, key: bytes = KEY) -> str | None:
    return run(compile_pseudonymise(key), event, shopper).pseudonym


def run(stage: Stage, event: Event, shopper: str | None, *, named: bool = True) -> Underway:
    record = Underway({}).set_out(event, (), 0)
    record.shopper, record.named = shopper, named
    assert stage(record) is None
    return record


WIDGET = WidgetEvent("w", "shop-001")


@pytest.mark.parametrize("event", [Purchase("p", "shop-001"), Return("r", "shop-001")])
def test_a_shopper_is_the_same_in_all_events_of_a_shop(event: Event) -> None:
    assert pseudonym(event, "jane") == pseudonym(WIDGET, "jane")


def test_a_shopper_differs_from_shop_to_shop() -> None:
    assert pseudonym(WidgetEvent("w", "shop-002"), "jane") != pseudonym(WIDGET, "jane")


def test_another_key_ends_the_join() -> None:
    assert pseudonym(WIDGET, "jane", OTHER_KEY) != pseudonym(WIDGET, "jane")


def test_shoppers_do_not_influence_each_other() -> None:
    stage = compile_pseudonymise(KEY)
    many = [run(stage, WIDGET, f"shopper-{n % 50}").pseudonym for n in range(200)]
    assert many == [pseudonym(WIDGET, f"shopper-{n % 50}") for n in range(200)]
    assert len(set(many)) == 50


@pytest.mark.parametrize("shopper", [None, ""])
def test_nobody_has_no_pseudonym(shopper: str | None) -> None:
    assert pseudonym(WIDGET, shopper) is None


def test_a_pseudonym_is_32_hexadecimal_digits() -> None:
    found = pseudonym(WIDGET, "jäne\0")
    assert found is not None
    assert len(bytes.fromhex(found)) == 16


@pytest.mark.parametrize("named", [True, False])
def test_the_shopper_is_gone_behind_it(named: bool) -> None:
    assert run(compile_pseudonymise(KEY), WIDGET, "jane", named=named).shopper is None


def test_no_pseudonym_is_made_that_nobody_looks_at() -> None:
    assert run(compile_pseudonymise(KEY), WIDGET, "jane", named=False).pseudonym is None
