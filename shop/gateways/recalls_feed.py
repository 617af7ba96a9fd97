"""Alerts of the Safety Gate of the European Union, over the net or out of files that the operator puts there.

It is free and asks for no key; it is told nothing about our goods. A week that is past is asked for once, and kept: in
the end all weeks are there, thirty more at each time. https://ec.europa.eu/safety-gate-alerts
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

from shop.gateways import in_time, recalls_port, recalls_xml
from shop.gateways.recalls_port import Alert, RecallsSilentError
from shop.gateways.recalls_xml import Week

SERVER = "https://ec.europa.eu/safety-gate-alerts/api/download/weeklyReport/list/xml/en"
LARGEST = 16 * 1024 * 1024  # bytes of a report; one of a week has about 200,000
MOST_WEEKS = 260  # five years
AT_ONCE = 30  # weeks that are asked for at one time
FRESH = 2  # weeks that are asked for each time: something may still be changed in them


_ask = in_time.opener()


class SafetyGateFeed:
    """The index at an address, with the reports that it names on the same server."""

    name = "safety-gate"

    def __init__(self, address: str, kept: Path) -> None:
        self._address, self._kept = address, kept

    def alerts(self) -> Sequence[Alert]:
        """What there is by now. Where something is asked and does not come, nothing is given: it is asked again."""
        until = monotonic() + recalls_port.PATIENCE
        index = recalls_xml.read(self._fetch(self._address, until))
        named = (week._replace(address=self._on_their_host(week.address)) for week in recalls_xml.weeks(index))
        weeks = [week for week in named if week.address][:MOST_WEEKS]
        found = [alert for week in self._whole(weeks, until) for alert in week]
        found += recalls_xml.alerts(index)  # an operator's own address may give the alerts at once
        return _each_once(found)

    def _whole(self, weeks: list[Week], until: float) -> Iterator[list[Alert]]:
        asked = 0
        for place, week in enumerate(weeks):
            file = self._kept / f"{sha256(week.address.encode()).hexdigest()[:32]}.xml"
            is_here = place >= FRESH and file.exists()
            if not is_here and asked == AT_ONCE:
                continue
            asked += not is_here
            told = file.read_bytes() if is_here else self._keep(file, self._fetch(week.address, until))
            yield recalls_xml.alerts(recalls_xml.read(told), week.day)

    def _keep(self, file: Path, told: bytes) -> bytes:
        recalls_xml.read(told)  # what is no report is not kept
        self._kept.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(f".{os.getpid()}")
        half.write_bytes(told)
        half.replace(file)
        return told

    def _on_their_host(self, address: str) -> str:
        """Where a report is; empty for what is elsewhere, since an index must not send us to a neighbour of ours."""
        ours, other = urlsplit(self._address), urlsplit(address)
        return other._replace(scheme=ours.scheme).geturl() if other.netloc == ours.netloc else ""

    def _fetch(self, address: str, until: float) -> bytes:
        left = until - monotonic()
        headers = {"Accept": "application/xml", "User-Agent": "Etalage"}
        request = Request(address, headers=headers)  # noqa: S310  the operator's own, and its host's
        try:
            if left <= 0:
                raise TimeoutError
            with _ask.open(request, timeout=left) as answer:
                told: bytes = answer.read(LARGEST + 1)
        except HTTPError as error:
            with error:
                raise RecallsSilentError(str(error.code)) from error
        except (OSError, HTTPException, ValueError) as error:
            raise RecallsSilentError(type(error).__name__) from error
        if len(told) > LARGEST:
            raise RecallsSilentError("too large")
        return told


class SafetyGateFiles:
    """A report that somebody put on this computer, or a folder of them."""

    name = "file"

    def __init__(self, path: Path) -> None:
        self._path = path

    def alerts(self) -> Sequence[Alert]:
        """What the files say; a folder may grow by one file a week."""
        try:
            files = sorted(self._path.glob("*.xml")) if self._path.is_dir() else [self._path]
            told = [file.read_bytes() for file in files if file.stat().st_size <= LARGEST]
        except OSError as error:
            raise RecallsSilentError(type(error).__name__) from error
        if not told:
            raise RecallsSilentError("no files")
        return _each_once([alert for each in told for alert in recalls_xml.alerts(recalls_xml.read(each))])


def _each_once(found: list[Alert]) -> list[Alert]:
    """An alert that was changed stands in more than one report: the first we have of it is the newest."""
    return list({alert.number: alert for alert in reversed(found)}.values())[::-1]
