"""The sample rooms that a visitor can choose instead of uploading a picture; this package draws them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["interior", "exterior"]

_PICTURES = Path(__file__).parent / "pictures"


@dataclass(frozen=True)
class Room:
    """A sample picture: its name in addresses, its title for people, what it shows, and its file (JPEG, 1200 x 800)."""

    name: str
    title: str
    kind: Kind
    path: Path


ROOMS: tuple[Room, ...] = (
    Room("living-room", "Living room", "interior", _PICTURES / "living-room.jpg"),
    Room("empty-room", "Empty living room", "interior", _PICTURES / "empty-room.jpg"),
    Room("bedroom", "Bedroom", "interior", _PICTURES / "bedroom.jpg"),
    Room("kitchen", "Kitchen", "interior", _PICTURES / "kitchen.jpg"),
    Room("house", "House with garden", "exterior", _PICTURES / "house.jpg"),
)


def get_room(name: str) -> Room:
    """Return the sample room with that name; raises a KeyError that lists the known ones."""
    for room in ROOMS:
        if room.name == name:
            return room
    raise KeyError(f"there is no sample room {name!r}; there are {', '.join(room.name for room in ROOMS)}")
