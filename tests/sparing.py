"""What `make test` leaves to `make faults`, so that nobody waits longer than ten minutes; and what it begins with.

SQLite meets every test that is not slow. PostgreSQL meets each rule of money, stock, papers and locks, and of the rest
what asks it something that nothing else asks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

# Workers that are killed, and other weather that is dear; `make faults` has it on PostgreSQL, too.
KILLED = (
    "test_killed_transcode",
    "test_killed_worker",
    "test_writers",
    "test_helpers_down",
    "test_no_room",
    "test_stripe_down",
    "test_bad_weather",
    "test_tampering",
    "test_locked",
)
# Pages, and what does not come to a database: PostgreSQL has it in `make faults`. Each page is also asked for there in
# `make test`, by `test_matrix`, with something on it of everybody; the rules behind them have tests of their own.
PAGES = (
    "routes/test_accounts",
    "routes/test_applying",
    "routes/test_bad_input",
    "routes/test_bank",
    "routes/test_catalogue",
    "routes/test_credentials",
    "routes/test_errors",
    "routes/test_feed",
    "routes/test_front_door",
    "routes/test_invitations",
    "routes/test_listing_desk",
    "routes/test_listings",
    "routes/test_moderation",
    "routes/test_products",
    "routes/test_sandbox",
    "routes/test_seller",
    "routes/test_showcase",
    "routes/test_studio",
    "routes/test_terms",
    "routes/test_uploads",
    "routes/test_vouching",
    "tests/test_access",
    "tests/test_catalogue_csv",
    "tests/test_demo",
    "tests/test_forms",
    "tests/test_front",
    "tests/test_gateway",
    "tests/test_hypermedia",
    "tests/test_i18n",
    "tests/test_logs",
    "tests/test_media",
    "tests/test_social",
)
# Of a table of cases (one wrong field after the other) PostgreSQL meets the first; `make faults` shows it all. Not so
# where each case is a question to the database of its own: money, stock, locks and guards.
WHOLE_TABLES = (
    "test_attempts",
    "test_audit",
    "test_books",
    "test_database",
    "test_disputes",
    "test_disputes_written",
    "test_elsewhere",
    "test_feed",
    "test_ledger",
    "test_orders_written",
    "test_payments",
    "test_payouts",
    "test_refunds",
    "test_refunds_written",
    "test_reversals_written",
    "test_same_moment",
    "test_settlement",
    "test_shares",
    "test_stock",
    "test_transfers",
    "test_transfers_written",
    "test_wallet",
    "test_wallet_written",
)


# What takes long begins first: else one process is at it still when the other has nothing left to do.
LONG = (
    "test_bad_input",
    "test_deaths",
    "test_every_page",
    "test_killed_transcode",
    "test_killed_worker",
    "test_matrix",
    "test_media",
    "test_oversell",
    "test_pages",
    "test_video_files",
)


def _chosen(item: pytest.Item) -> dict[str, Any]:
    return item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}


def spare_postgres(items: list[pytest.Item]) -> None:
    """What is dear meets one database; the other too, but not while somebody waits."""
    met = set()
    for item in items:
        chosen = _chosen(item)
        if chosen.get("built") != "postgresql":
            continue
        table = (item.path, item.originalname) if len(chosen) > 1 and not _is_whole(item.path) else None
        if _is_for_one(item.path) or chosen.get("gateway") == "stripe" or table in met:
            item.add_marker(pytest.mark.slow)
        if table and not item.get_closest_marker("slow"):
            met.add(table)


def _is_for_one(file: Path) -> bool:
    return "browser" in file.parts or file.stem in KILLED or f"{file.parent.name}/{file.stem}" in PAGES


def _is_whole(file: Path) -> bool:
    """All tables of `routes` are of pages, whatever their file is called."""
    return file.stem in WHOLE_TABLES and file.parent.name != "routes"


def may_wait(item: pytest.Item) -> bool:
    """Not what takes long; but on PostgreSQL everything comes last, so that one changes the database only once."""
    return item.path.stem not in LONG or _chosen(item).get("built") == "postgresql"
