"""`flask tax report`: the yearly file about sellers, of which the tax office's own is made (DAC7)."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import click
from flask.cli import with_appcontext

from shop import tax_year
from shop.database import db
from shop.errors import Refused
from shop.tax_year import Told

FACTS = ("legal_name", "kind", "street", "postcode", "city", "country", "company_register", "company_number")
EACH = ("credited", "sales", "fees", "paid_out")
HEAD = (
    *("shop_id", *FACTS, "vat_number", "tax_number", "tax_number_country", "birth_date", "iban", "account_holder"),
    *("year", "currency", *(f"q{n}_{name}" for n in range(1, 5) for name in EACH)),
)


@click.group()
def tax() -> None:
    """What the tax office is told about sellers."""


@tax.command("report")
@click.argument("year", type=int)
@click.option("--to", "path", type=click.Path(path_type=Path, dir_okay=False), help="Where the file goes.")
@with_appcontext
def report(year: int, path: Path | None) -> None:
    """Write the file of YEAR: everybody with 30 sales, or more than EUR 2,000; amounts with a point.

    It has tax numbers, days of birth and IBANs in the clear: only you may read it, and you delete it when the
    authority's XML is made of it and sent. A quarter is that of Amsterdam.
    """
    path = path or Path(f"tax-{year}.csv")
    try:
        found, left_out = tax_year.report(year)
        _write(path, found)
    except Refused as no:
        raise click.ClickException(no.words) from no
    except FileExistsError as there:
        raise click.ClickException(f"{path} is there already; delete it first.") from there
    db.session.commit()
    click.echo(f"{path}: {len(found)} sellers. Not told: {left_out}, with few sales. Make the authority's XML of it.")
    if lacking := [told.seller.id for told in found if told.tax is None]:
        click.echo(f"No tax details yet from shop_id {', '.join(map(str, lacking))}: remind them, see docs/law.md.")


def _write(path: Path, found: list[Told]) -> None:
    """Readable for nobody else, and never over another file."""
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", newline="", encoding="utf-8") as out:
        sheet = csv.writer(out)
        sheet.writerow(HEAD)
        sheet.writerows(map(row, found))


def row(told: Told) -> list[str]:
    """One seller's line; no text in it can act as a formula."""
    facts = [str(told.sold_as.get(name) or getattr(told.seller, name)) for name in (*FACTS, "vat_number")]
    number, country, born = told.tax or ("", "", None)
    who = [str(told.seller.id), *facts, number, country, str(born or ""), told.iban, told.seller.holder or ""]
    tamed = [f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text for text in who]
    sums = [_said(name, getattr(each, name)) for each in told.year.quarters for name in EACH]
    return [*tamed, str(told.year.year), told.year.currency, *sums]


def _said(name: str, number: int) -> str:
    return str(number) if name == "sales" else f"{number / 100:.2f}"
