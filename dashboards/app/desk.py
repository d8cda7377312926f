"""What lies on the desk: the runs that are looked at, and what has been worked out of them already."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from dashboards.feed import Feed, Snapshot
from dashboards.sight import Sight
from dashboards.state import State, under
from dse.errors import UsageError
from dse.metrics import Judge
from dse.record import Record
from dse.view import Standing, stand

#: Results that are kept; each holds one number or so per design.
KEPT = 48
T = TypeVar("T")


@dataclass(frozen=True)
class Seen:
    """A run under a page's state: its feed and how it stands, the sight, and what is wrong with part or budgets."""

    feed: Feed
    snapshot: Snapshot
    sight: Sight
    wrong: dict[str, str]

    @property
    def judge(self) -> Judge:
        """Whose figures are shown."""
        return self.sight.judge

    def record(self, trial: int | None) -> Record | None:
        """The record of a trial, or None."""
        return None if trial is None else self.feed.record(trial)

    def standing(self, record: Record) -> Standing:
        """How a record stands under these goals."""
        return stand(record, self.sight.goals)


class Desk:
    """The runs by their names on the page; UsageError or StoreError where a folder is no run."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.feeds: dict[str, Feed] = {}
        for folder in folders:
            feed = Feed(folder)
            name, count = feed.name, 1
            while name in self.feeds:  # first by the root that it is in, then by a number
                name = f"{feed.name} in {folder.resolve().parent.name}" if count == 1 else f"{feed.name} ({count})"
                count += 1
            self.feeds[name] = feed
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._lock = threading.Lock()

    def feed(self, state: State) -> tuple[str, Feed]:
        """The run that a state names, or the first one."""
        name = state.run if state.run in self.feeds else next(iter(self.feeds))
        return name, self.feeds[name]

    def judge(self, state: State, snapshot: Snapshot) -> Judge:
        """The judge that a state names, or the study's."""
        return next((judge for judge in snapshot.judges if judge.name == state.judge), snapshot.judges[0])

    def see(self, state: State) -> Seen:
        """The state's run, as its judge and budgets make it look."""
        name, feed = self.feed(state)
        return self._see(name, feed, state, self.judge(state, feed.refresh()))

    def _see(self, name: str, feed: Feed, state: State, judge: Judge) -> Seen:
        snapshot = feed.refresh()
        goals, wrong = under(state, feed.run.goals, judge)
        key = (name, snapshot.version, goals.judge, goals.limits, tuple(sorted(goals.resources.items())))
        sight = self.keep(("sight", *key), lambda: Sight(name, feed.columns(judge), goals))
        return Seen(feed, snapshot, sight, wrong)

    def elsewhere(self, state: State) -> list[Sight]:
        """What the other judges of this run say of its designs."""
        name, feed = self.feed(state)
        snapshot = feed.refresh()
        mine = self.judge(state, snapshot)
        others = [judge for judge in snapshot.judges if judge != mine and snapshot.stated[judge]]
        return [self._see(name, feed, state, judge).sight for judge in others]

    def beside(self, state: State) -> tuple[list[Sight], list[str]]:
        """The other runs with the same judge and objectives, and the names of those that cannot be compared."""
        name, _ = self.feed(state)
        mine = self.see(state).sight
        found, left = [], []
        for other, feed in self.feeds.items():
            if other == name:
                continue
            snapshot = feed.refresh()
            if mine.judge in snapshot.judges and feed.run.goals.objectives == mine.goals.objectives:
                found.append(self._see(other, feed, state, mine.judge).sight)
            else:
                left.append(other)
        return found, left

    def keep(self, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        """What was made for this key before, or what `make` makes now; the KEPT last used ones are remembered."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: T = self._kept[key]
                return found
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made


def trial_of(text: str) -> int:
    """A trial's number from an address; UsageError otherwise."""
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise UsageError(f"a trial's number is wanted, got {text[:40]!r}.")
    return int(text)
