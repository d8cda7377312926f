"""Which designs have been seen, and all of a small space one after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from dse.design import Design
from dse.record import Record
from dse.space import Space


class Proposals(ABC):
    """Designs of a space that nobody has evaluated yet; what is noted or told of is not proposed again."""

    #: Whether what is proposed depends on what was told: then fewer designs are asked for at once.
    learns = False

    def __init__(self, space: Space) -> None:
        self._space = space
        self._seen: set[str] = set()
        self.size = space.size

    @property
    def seen(self) -> int:
        """How many different designs of the space have been asked for or told of."""
        return len(self._seen)

    def knows(self, design: Design) -> bool:
        """True for a design that was noted or told of before."""
        return design.digest in self._seen

    def note(self, design: Design) -> None:
        """This design is being evaluated: do not propose it again; designs outside the space are not counted."""
        if self._space.values(design) is not None:
            self._seen.add(design.digest)

    @abstractmethod
    def ask(self) -> Design | None:
        """A design that has not been proposed before; None when there is none left."""

    def tell(self, record: Record) -> None:
        """What became of a design, whoever proposed it."""
        self.note(record.design)

    def replay(self, records: Iterable[Record]) -> None:
        """Records of an earlier run."""
        for record in records:
            self.tell(record)


class Exhaustive(Proposals):
    """Every design, in the space's order: hardware knobs change first, so that what one compression has left in the store
    serves all its hardware variants, and one architecture's programs all its compressions.
    """

    def __init__(self, space: Space) -> None:
        super().__init__(space)
        self._left = space.designs()

    def ask(self) -> Design | None:
        """The next design that was not seen; None at the end."""
        for design in self._left:
            if not self.knows(design):
                self.note(design)
                return design
        return None
