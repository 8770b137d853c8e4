"""The dead letters of the last day, and what was done about them: what ``doctor`` and the dashboard count."""

from dataclasses import dataclass

from deptbus import deadletters
from deptbus.clock import Clock, system_clock
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.log import KafkaLog
from deptbus.operations.letterbox import LetterBox
from deptbus.operations.letters import Letter
from deptbus.settings import Settings

DAY_MS = 86_400_000
LETTERS_MAX = 10_000
"""Records of a partition of dead letters looked at, the latest, to tell which are open."""


@dataclass(frozen=True, slots=True)
class Recent:
    """Letters of the last day."""

    letters: tuple[Letter, ...]
    not_looked_at: int
    """Earlier records of that day, letters and acts, that were too many to look at."""
    unreadable: int

    @property
    def open(self) -> list[Letter]:
        """Those that nobody has done anything about since they were last given up."""
        return [letter for letter in self.letters if not letter.settled]


def recent_letters(settings: Settings, clock: Clock = system_clock) -> Recent:
    """Look at them; ``ClusterUnreachable``, ``NotFound`` where the topic is not there."""
    log = KafkaLog(reader_configuration(settings), settings.world)
    try:
        since = log.at_time(deadletters.TOPIC, clock() - DAY_MS)
        ends = {partition: end for partition, (_, end) in log.bounds(deadletters.TOPIC).items()}
    finally:
        log.close()
    looked_at = {partition: (max(since[partition], end - LETTERS_MAX), end) for partition, end in ends.items()}
    with LetterBox(settings) as box:
        letters = tuple(box.letters(looked_at).by_id.values())
    not_looked_at = sum(start - since[partition] for partition, (start, _) in looked_at.items())
    return Recent(letters, not_looked_at, box.unreadable)
