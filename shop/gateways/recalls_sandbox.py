"""Alerts for trying the shop out: a small recorded file, in the form of the real one. Nothing in it exists."""

from __future__ import annotations

from pathlib import Path

from shop.gateways.recalls_feed import SafetyGateFiles

RECORDED = Path(__file__).with_name("recalls_sandbox.xml")


class SandboxRecalls(SafetyGateFiles):
    """The unsafe products of the demo."""

    name = "sandbox"

    def __init__(self) -> None:
        super().__init__(RECORDED)
