"""The demo shop: made-up people, goods and clips, loaded as if people had put them in.

What is there already is left as it is, so loading again changes nothing, and takes nobody's changes back.
"""

from __future__ import annotations

from sqlalchemy import select

from shop import passwords
from shop.database import db
from shop.demo import applicants, asked, catalogue, clips, goods, people, sales
from shop.demo.people import ACCOUNTS, Account
from shop.errors import Refused
from shop.models import Product

__all__ = ["ACCOUNTS", "PASSWORD", "Account", "is_wanted", "load", "trade"]

PASSWORD = "etalage-demo"  # noqa: S105  everybody may know it


def is_wanted() -> bool:
    """Is there nothing for sale in this shop yet?"""
    return db.session.scalar(select(Product.id).limit(1)) is None


def load(environment: str = "development") -> tuple[Account, ...]:
    """Load what is missing, and give back who one may sign in as; `Refused` in production.

    Made-up sellers and a password that everybody knows have no place in a shop that takes money.
    """
    if environment == "production":
        raise Refused("The demo is never loaded in production: its people are made up, and share one password.")
    shop, files = catalogue.read(), catalogue.keep_files()
    secret = passwords.hashed(PASSWORD)  # before the first statement: it takes a while
    people.add(shop, files, secret)
    people.add_sellers(shop["accounts"])
    goods.add_categories(shop["categories"])
    goods.add_products(shop, files)
    clips.add(shop["clips"], files)
    return ACCOUNTS


def trade() -> None:
    """After the commit: the first sales, what was asked, and who applies to sell, by the shop's own rules.

    It commits as it goes.
    """
    sales.add()
    asked.add()
    applicants.add()
