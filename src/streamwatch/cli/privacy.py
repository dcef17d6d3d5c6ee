"""``streamwatch privacy``: exchange a shop's key, or forget it with the copies of its records."""

import os
import time

import click

from streamwatch.adapters.sql.migrations import check_migrated
from streamwatch.adapters.sql.shop_keys import SALT_BYTES
from streamwatch.adapters.sql.shop_keys import erase as erase_shop
from streamwatch.adapters.sql.shop_keys import rotate as rotate_shop
from streamwatch.cli.database import database_option, opened
from streamwatch.cli.output import FINDINGS, OK, json_option, print_json, settings_option

shop_option = click.option("--shop", required=True, help="Which shop.")


@click.group(
    epilog="\b\nExamples:\n"
    "  streamwatch privacy rotate --shop shop-017\n"
    "  streamwatch privacy erase --shop shop-017 --yes"
)
def command() -> None:
    """Exchange or forget a shop's pseudonym key."""


@command.command(epilog="\b\nExample:\n  streamwatch privacy rotate --shop shop-017")
@shop_option
@database_option
@settings_option
@json_option
def rotate(shop: str, database: str | None, settings_file: str | None, as_json: bool) -> int:
    """Give a shop a new key: from now on its shoppers get new pseudonyms.

    The old key is gone, so nobody finds the shopper of an old pseudonym again. Running workers
    follow within seconds. The exit code is 1 if the shop had no key.
    """
    with opened(database, settings_file) as engine:
        check_migrated(engine)
        known = rotate_shop(engine, shop, time.time_ns() // 1_000_000, os.urandom(SALT_BYTES))
    if as_json:
        print_json({"shop": shop, "rotated": known})
    elif known:
        click.echo(f"{shop} has a new key; its old pseudonyms join with nothing new.")
    else:
        click.echo(f"{shop} has no key: no record of it was ever pseudonymised here.")
    return OK if known else FINDINGS


@command.command(epilog="\b\nExample:\n  streamwatch privacy erase --shop shop-017 --yes")
@shop_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@database_option
@settings_option
@json_option
def erase(
    shop: str, yes: bool, database: str | None, settings_file: str | None, as_json: bool
) -> int:
    """Forget a shop's key, and delete the copies of its records.

    Deleted are its rows in all tap tables, in `rejects` and in `recorded_rows`. Sums, verdicts
    and incidents stay: they name nobody. The Kafka topics, dead letters among them, and backups
    of the database are yours to delete. The exit code is 1 if there was nothing of the shop.
    """
    if not yes:
        click.confirm(f"This deletes all copies of records of {shop}. Go on?", abort=True, err=True)
    with opened(database, settings_file) as engine:
        check_migrated(engine)
        done = erase_shop(engine, shop, time.time_ns() // 1_000_000, os.urandom(SALT_BYTES))
    if as_json:
        print_json({"shop": shop, "forgotten": done.known, "deleted": done.deleted})
    else:
        click.echo(
            f"The key of {shop} is forgotten." if done.known else f"{shop} had no key to forget."
        )
        for table, rows in done.deleted.items():
            click.echo(f"{table}: {rows} rows deleted")
    return OK if done.known or done.deleted else FINDINGS
