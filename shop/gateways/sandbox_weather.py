"""How the sandbox's events travel: in fair weather once, at once and in order; else as on a bad day of a real one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

_Call = TypeVar("_Call")


class Weather(NamedTuple):
    """What happens to each event on its way. Fair weather is the default."""

    duplicate: int = 0  # it is brought so many times more
    delay: float = 0  # seconds that it is held back
    reorder: bool = False  # all that go out together go in another order, by chance
    drop: int = 0  # so many tries get lost before one arrives
    error: int = 0  # after so many tries the shop's answer counts as a 500, and it comes again

    def order(self, calls: Sequence[_Call]) -> list[_Call]:
        """The calls as they leave: each as often as it goes, in the order in which they go."""
        leaving = [call for call in calls for _time in range(1 + self.duplicate)]
        if self.reorder:
            random.shuffle(leaving)
        return leaving

    def is_lost(self, tries: int) -> bool:
        """Does an event get lost that was tried so many times before?"""
        return tries < self.drop

    def is_unheard(self, tries: int) -> bool:
        """Is the shop's answer to it taken for an error?"""
        return self.drop <= tries < self.drop + self.error
