"""The parts of the bench by their letters, in the order in which they are run and shown."""

from bench.part import Part
from bench.parts.balance import BALANCE
from bench.parts.batch import BATCH
from bench.parts.consume_postgres import CONSUME_POSTGRES
from bench.parts.consume_sqlite import CONSUME_SQLITE
from bench.parts.growth import GROWTH
from bench.parts.holds import HOLDS
from bench.parts.overload import OVERLOAD
from bench.parts.peers import PEERS
from bench.parts.proof import PROOF
from bench.parts.slow_disk import SLOW_DISK
from bench.parts.start_up import START_UP

PARTS: dict[str, Part] = {
    part.letter: part
    for part in (
        CONSUME_POSTGRES,
        CONSUME_SQLITE,
        BATCH,
        PEERS,
        HOLDS,
        GROWTH,
        BALANCE,
        OVERLOAD,
        START_UP,
        SLOW_DISK,
        PROOF,
    )
}
