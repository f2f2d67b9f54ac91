"""An order: the picture, the feature and the options of a request, read from its form and validated.

The generator checks what needs the decoded picture: whether it is one, and whether an area lies in it.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from starlette.requests import Request

from sixpence import InvalidInputError, UnknownFeatureError
from sixpence_studio.generators import Area, Generator, OptionError
from sixpence_studio.generators.picture import BYTES_MAX
from sixpence_studio.generators.protocol import chosen
from sixpence_studio.orders.job import Job
from sixpence_studio.orders.upload import Fields, read_form
from sixpence_studio.rooms import ROOMS

T = TypeVar("T")
Rectangle = tuple[float, float, float, float]

AREAS_MAX = 50
_TEXTS = ("generation_id", "feature", "room", "options", "area")
_GENERATION_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


@dataclass(frozen=True, kw_only=True)
class Order:
    """A validated order. `room` is a sample's name, None for an uploaded picture; `options` are as sent."""

    generation_id: str
    generator: Generator
    room: str | None
    picture: bytes
    options: dict[str, str]
    areas: list[Rectangle]

    @property
    def feature(self) -> str:
        """The feature that it is charged as."""
        return self.generator.name

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the order without its generation id: the same id with another fingerprint is a conflict."""
        source = self.room or hashlib.sha256(self.picture).hexdigest()
        content = [self.feature, self.room is None, source, self.options, self.areas]
        return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()

    def job(self) -> Job:
        """Return the job. Its seed follows from the generation id, so the same order gives the same picture."""
        marked = "; ".join(" ".join(f"{part:.6f}" for part in area) for area in self.areas)
        where = _area_option(self.generator)
        options = self.options if where is None else {**self.options, where: marked}
        seed = int.from_bytes(hashlib.sha256(self.generation_id.encode()).digest()[:4])
        return Job(self.generator, self.picture, options, seed)


async def read_order(request: Request, generators: Mapping[str, Generator]) -> Order:
    """Read the order from a request's form; raises `InvalidInputError`, `UnknownFeatureError`, and as `read_form`."""
    fields = await read_form(request, texts=_TEXTS, file="picture")
    generator = generators.get(_text(fields, "feature"))
    if generator is None:
        raise UnknownFeatureError(_text(fields, "feature")[:60], tuple(generators))
    room, picture = _picture(fields)
    return Order(
        generation_id=_generation_id(_text(fields, "generation_id")),
        generator=generator,
        room=room,
        picture=picture,
        options=_options(generator, fields),
        areas=_areas(generator, fields),
    )


def option_error(generator: Generator, error: OptionError) -> InvalidInputError:
    """Convert a generator's refusal of an option; the error names the field in which the option was sent."""
    if error.option == _area_option(generator):
        return InvalidInputError("area", f"cannot be used. Send {', '.join(error.allowed)}.")
    return _choice_error(error)


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInputError(name, "is missing. Send it.")
    return value


def _generation_id(text: str) -> str:
    if not _GENERATION_ID.match(text):
        raise InvalidInputError(
            "generation_id", f"{text!r:.60} is not a UUID in lower case. Make one for each picture."
        )
    return text


def _picture(fields: Fields) -> tuple[str | None, bytes]:
    uploaded = fields.get("picture")
    if isinstance(uploaded, bytes):
        if "room" in fields:
            raise InvalidInputError("room", "was sent beside a picture. Send one of the two.")
        if len(uploaded) > BYTES_MAX:
            raise InvalidInputError("picture", f"has more than {BYTES_MAX // 2**20} MB. Send a smaller one.")
        return None, uploaded
    if "room" not in fields:
        raise InvalidInputError("picture", "is missing. Send a picture, or the name of a sample as room.")
    rooms = {room.name: room for room in ROOMS}
    room = rooms.get(_text(fields, "room"))
    if room is None:
        raise InvalidInputError("room", f"{fields['room']!r:.60} is not a sample. There are: {', '.join(rooms)}.")
    return room.name, room.path.read_bytes()


def _options(generator: Generator, fields: Fields) -> dict[str, str]:
    given = _json(fields, "options", dict[str, str], {}, "an object of text by name")
    choices = [option for option in generator.options if not isinstance(option, Area)]
    try:
        chosen(choices, given)
    except OptionError as error:
        raise _choice_error(error) from None
    return given


def _choice_error(error: OptionError) -> InvalidInputError:
    allowed = ", ".join(error.allowed)
    return InvalidInputError(f"options.{error.option:.60}", f"cannot be {error.value!r:.60}; it can be {allowed}.")


def _areas(generator: Generator, fields: Fields) -> list[Rectangle]:
    takes_area = _area_option(generator) is not None
    areas = _json(fields, "area", list[Rectangle], [], "a list of [left, top, width, height] in shares of the picture")
    if areas and not takes_area:
        raise InvalidInputError("area", f"is not for '{generator.name}'. Leave it out.")
    if takes_area and not areas:
        raise InvalidInputError(
            "area", "is missing. Mark at least one: [[left, top, width, height]], each from 0 to 1."
        )
    if len(areas) > AREAS_MAX:
        raise InvalidInputError("area", f"has {len(areas)} areas. Mark at most {AREAS_MAX}.")
    if not all(0 <= part <= 1 for area in areas for part in area):
        raise InvalidInputError("area", "has a number that is not from 0 to 1. Send shares of the picture's size.")
    return areas


def _area_option(generator: Generator) -> str | None:
    return next((option.name for option in generator.options if isinstance(option, Area)), None)


def _json(fields: Mapping[str, str | bytes], name: str, shape: type[T], default: T, wanted: str) -> T:
    text = fields.get(name, "")
    if not text:
        return default
    try:
        return msgspec.json.decode(text, type=shape)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidInputError(name, f"is not {wanted} as JSON: {error}.") from None
