"""What the sandbox remembers: a table of its own, in short transactions of its own, and what it has to tell."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, select, update

from shop import clock
from shop.database import insert
from shop.gateways.payment_port import KeyConflictError, RejectedError
from shop.gateways.sandbox_weather import Weather
from shop.models import SandboxObject

KEYS_LAST = timedelta(hours=24)
WEATHER = "weather"
NAMED_ONLY = ("latest_charge", "payment_method", "balance_transaction", "transfer")
OURS = (
    "balance",
    "becomes",
    "course",
    "dispute",
    "keeps",
    "next_time",
    "return_path",
    "shares",
    "wish",
)  # nobody is told

Thing = dict[str, Any]

things = SandboxObject.__table__


class Memory:
    """The sandbox's table, within one of its transactions. A thing has a name, a kind, and the shape of Stripe's."""

    def __init__(self, connection: Connection) -> None:
        self._run = connection.execute
        self._connection = connection

    def put(self, name: str, kind: str, body: Thing, due_at: datetime | None = None) -> None:
        """Remember something new; at `due_at` something happens to it by itself."""
        self._run(things.insert().values(name=name, kind=kind, body=body, created_at=clock.now(), due_at=due_at))

    def look(self, name: str, kind: str) -> Thing | None:
        """One thing, for who only wants to see it."""
        row = self._run(select(things.c.body).where(things.c.name == name, things.c.kind == kind)).first()
        return dict(row.body) if row else None

    def get(self, name: str, kind: str) -> Thing | None:
        """One thing; whoever else wants to change it waits for us."""
        query = select(things.c.body).where(things.c.name == name, things.c.kind == kind)
        row = self._run(query.with_for_update()).first()
        return dict(row.body) if row else None

    def need(self, name: str, kind: str) -> Thing:
        """One thing to change, which there has to be."""
        found = self.get(name, kind)
        if found is None:
            raise RejectedError("resource_missing")
        return found

    def all(self, kind: str, *which: Any) -> list[Thing]:
        """Things to change, always in the same order, so that nobody waits in a circle."""
        query = select(things.c.body).where(things.c.kind == kind, *which).order_by(things.c.name).with_for_update()
        return [dict(row.body) for row in self._run(query)]

    def list(self, kind: str, *which: Any) -> list[Thing]:
        """Things to look at, in the order in which they came."""
        query = select(things.c.body).where(things.c.kind == kind, *which)
        return [dict(row.body) for row in self._run(query.order_by(things.c.created_at, things.c.name))]

    def change(self, name: str, **values: Any) -> None:
        """Write another body, or another time at which something happens."""
        self._run(update(things).where(things.c.name == name).values(**values))

    def created(self, name: str) -> datetime:
        """When it came."""
        made: datetime = self._run(select(things.c.created_at).where(things.c.name == name)).scalar_one()
        return made

    def is_due(self, name: str) -> bool:
        """Should something have happened to it by now?"""
        due = select(things.c.name).where(things.c.name == name, things.c.due_at <= clock.now())
        return self._run(due).first() is not None

    def once(self, key: str, asked: Thing, do: Callable[[], Thing]) -> Thing:
        """What was answered to this key in the last 24 hours, else what `do` makes of it. Who comes second waits.

        A refusal is an answer too, and stays one for as long: `{"rejected": code}`.
        """
        answer = self.answered(key, asked)
        if answer is None:
            try:
                with self._connection.begin_nested():
                    answer = do()
            except RejectedError as error:
                answer = {"rejected": error.code}
            self.answer(key, asked, answer)
        return answer

    def answered(self, key: str, asked: Thing) -> Thing | None:
        """What was answered to this key; None makes the key ours. Another request with it is a `KeyConflictError`."""
        name, print_of_it = f"key:{key}"[:120], _fingerprint(asked)
        self._run(delete(things).where(things.c.name == name, things.c.created_at < clock.now() - KEYS_LAST))
        row = {"name": name, "kind": "key", "body": {"asked": print_of_it}, "created_at": clock.now(), "due_at": None}
        mine = insert(things, self._connection).values(row).on_conflict_do_nothing().returning(things.c.name)
        if self._run(mine).first():
            return None
        known = self._run(select(things.c.body).where(things.c.name == name)).scalar_one()
        if known["asked"] != print_of_it:
            raise KeyConflictError
        return dict(known["answer"])

    def answer(self, key: str, asked: Thing, answer: Thing) -> None:
        """Remember what was answered to a key that is ours."""
        self.change(f"key:{key}"[:120], body={"asked": _fingerprint(asked), "answer": answer})

    def tell(self, kind: str, thing: Thing) -> None:
        """Write an event down; it goes out by HTTP, with the others, when a job comes for them."""
        event = {"id": ordered("evt"), "object": "event", "type": kind, "created": stamp(), "livemode": False}
        event |= {"api_version": None, "data": {"object": collapsed(thing)}}
        self._send("payments", event)

    def tell_of_account(self, account: str, kind: str = "v2.core.account[requirements].updated") -> None:
        """Write a thin event down, which only says that there is something to read again."""
        about = {"id": account, "type": "v2.core.account", "url": f"/v2/core/accounts/{account}"}
        event = {"id": ordered("evt"), "object": "v2.core.event", "type": kind, "created": clock.now().isoformat()}
        self._send("accounts", {**event, "livemode": False, "related_object": about})

    def _send(self, door: str, event: Thing) -> None:
        due_at = clock.now() + timedelta(seconds=self.weather().delay)
        self.put(str(event["id"]), "event", {"door": door, "tries": 0, "event": event}, due_at)

    def weather(self) -> Weather:
        """How events travel at present."""
        return Weather(**(self.look(WEATHER, WEATHER) or {}))

    def set_weather(self, weather: Weather) -> None:
        """From now on events travel so."""
        self._run(delete(things).where(things.c.name == WEATHER))
        self.put(WEATHER, WEATHER, weather._asdict())


def named(kind: str) -> str:
    """A name for a thing, which nobody guesses."""
    return f"sbx_{kind}_{secrets.token_hex(12)}"


def ordered(kind: str) -> str:
    """A name that sorts in the order of what happened."""
    return f"sbx_{kind}_{time.time_ns():x}{secrets.token_hex(4)}"


def stamp() -> int:
    """Now, as Stripe writes it."""
    return int(clock.now().timestamp())


def collapsed(thing: Thing) -> Thing:
    """As events and plain answers show it: what belongs to it is only named, and has to be asked for."""
    seen = {name: value for name, value in thing.items() if name not in OURS}
    inner = {name: seen[name]["id"] for name in NAMED_ONLY if isinstance(seen.get(name), dict)}
    return seen | inner


def _fingerprint(asked: Thing) -> str:
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
