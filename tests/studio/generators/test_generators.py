"""What always holds for every generator, on every sample room."""

import io
import pickle
from itertools import product

import numpy as np
import pytest
from PIL import Image

from sixpence_studio.generators import GENERATORS, Area, Choice, Generator, OptionError, open_picture
from sixpence_studio.rooms import ROOMS
from tests.studio.generators.pictures import file_of, gradient, mean_difference, pixels_of, small_room

pytestmark = pytest.mark.slow
AREA = {"area": "0.3 0.35 0.2 0.25"}
STILL = [generator for name, generator in GENERATORS.items() if name not in ("remove", "video")]


def given(generator: Generator) -> dict[str, str]:
    """The options that the generator requires."""
    return AREA if generator.name == "remove" else {}


def every_choice(generator: Generator) -> list[dict[str, str]]:
    """Every combination of the generator's choices."""
    choices = [option for option in generator.options if isinstance(option, Choice)]
    names = [choice.name for choice in choices]
    return [dict(zip(names, values, strict=True)) for values in product(*([v for v, _ in c.values] for c in choices))]


def test_each_feature_has_its_generator() -> None:
    """The registry holds the six features, each under its own name, with texts for a page."""
    assert list(GENERATORS) == ["interior", "exterior", "sketch", "furnish", "remove", "video"]
    assert all(generator.name == name for name, generator in GENERATORS.items())
    assert all(generator.title and generator.description.endswith(".") for generator in GENERATORS.values())


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=lambda g: g.name)
def test_a_form_can_be_made_from_the_options(generator: Generator) -> None:
    """Each option has a label, and each choice a default among its labelled values."""
    for option in generator.options:
        assert option.name.isidentifier()
        assert option.label
        if isinstance(option, Area):
            assert (option.kind, bool(option.how)) == ("area", True)
        else:
            assert option.kind == "choice"
            assert option.default in dict(option.values)
            assert len(dict(option.values)) == len(option.values) >= 2
            assert all(label for _, label in option.values)


@pytest.mark.parametrize("room", [room.name for room in ROOMS])
@pytest.mark.parametrize("generator", STILL, ids=lambda g: g.name)
def test_generator_changes_every_room_visibly(generator: Generator, room: str) -> None:
    """The result has the picture's size and looks clearly different."""
    picture = small_room(room, 280)

    result = generator.generate(picture, {}, 1)

    assert (result.media_type, result.suffix) == ("image/jpeg", ".jpg")
    assert pixels_of(result).shape == picture.pixels.shape
    assert mean_difference(pixels_of(result), picture.pixels) > 4


@pytest.mark.parametrize(("generator", "room"), [("interior", "bedroom"), ("exterior", "house"), ("sketch", "kitchen")])
def test_each_choice_looks_different_from_the_others(generator: str, room: str) -> None:
    """No two values of an option give similar pictures."""
    picture = small_room(room)

    results = [pixels_of(GENERATORS[generator].generate(picture, values, 1))
               for values in every_choice(GENERATORS[generator])]  # fmt: skip

    differences = [mean_difference(a, b) for k, a in enumerate(results) for b in results[k + 1 :]]
    assert min(differences) > 7


def test_each_set_of_furniture_looks_different() -> None:
    """Every set, and every palette of a set, changes the empty room in its own way."""
    picture = small_room("empty-room", 200)
    choices = [values for values in every_choice(GENERATORS["furnish"])
               if values["set"] == "lounge" or values["palette"] == "natural"]  # fmt: skip

    results = [pixels_of(GENERATORS["furnish"].generate(picture, values, 1)) for values in choices]

    assert len(results) == 7
    assert min(mean_difference(result, picture.pixels) for result in results) > 4
    assert min(mean_difference(a, b) for k, a in enumerate(results) for b in results[k + 1 :]) > 0.5


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=lambda g: g.name)
def test_generate_is_deterministic(generator: Generator) -> None:
    """Neither randomness nor earlier calls change the result."""
    picture = small_room("living-room", 160)

    first = generator.generate(picture, given(generator), 3)
    GENERATORS["interior"].generate(small_room("kitchen", 200), {}, 9)
    second = generator.generate(picture, given(generator), 3)

    assert first == second


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=lambda g: g.name)
def test_unknown_option_is_refused(generator: Generator) -> None:
    """An option that the feature does not have raises an OptionError."""
    with pytest.raises(OptionError) as refusal:
        generator.generate(small_room("kitchen", 200), {**given(generator), "colour": "red"}, 1)

    assert (refusal.value.option, refusal.value.value) == ("colour", "red")


@pytest.mark.parametrize(
    ("generator", "option"),
    [(g.name, option) for g in GENERATORS.values() for option in g.options if isinstance(option, Choice)],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_unknown_option_value_is_refused(generator: str, option: Choice) -> None:
    """The refusal names the option, the value and the allowed values."""
    with pytest.raises(OptionError) as refusal:
        GENERATORS[generator].generate(small_room("kitchen", 200), {option.name: "Baroque"}, 1)

    allowed = [value for value, _ in option.values]
    assert str(refusal.value) == f"{option.name} cannot be 'Baroque'; it can be {', '.join(allowed)}."
    assert refusal.value.code == "invalid-option"


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=lambda g: g.name)
@pytest.mark.parametrize("size", [(64, 64), (64, 1000), (1000, 64), (201, 133)], ids=str)
def test_generate_accepts_odd_pictures(generator: Generator, size: tuple[int, int]) -> None:
    """Tiny, narrow, flat and odd-sized pictures without a room give a result, too."""
    picture = open_picture(file_of(gradient(size=size)))

    result = generator.generate(picture, given(generator), 1)

    if generator.name != "video":
        assert pixels_of(result).shape == picture.pixels.shape


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=lambda g: g.name)
@pytest.mark.parametrize("colour", ["black", "white", "#4f86c6"])
def test_generate_accepts_a_picture_of_one_colour(generator: Generator, colour: str) -> None:
    """A picture without any edges gives a result."""
    picture = open_picture(file_of(Image.new("RGB", (160, 120), colour)))

    result = generator.generate(picture, given(generator), 1)

    assert len(result.data) > 100


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=lambda g: g.name)
def test_generator_picture_and_result_can_be_pickled(generator: Generator) -> None:
    """Generator, picture and result come out of a pickle as they went in."""
    picture = small_room("bedroom", 160)

    other, other_picture = pickle.loads(pickle.dumps((generator, picture)))
    result = pickle.loads(pickle.dumps(other.generate(other_picture, given(generator), 2)))

    assert result == generator.generate(picture, given(generator), 2)


def test_option_error_can_be_pickled() -> None:
    """An OptionError comes out of a pickle with its data."""
    error = pickle.loads(pickle.dumps(OptionError("style", "Baroque", ["japandi"])))

    assert (error.option, error.value, error.allowed) == ("style", "Baroque", ("japandi",))


def test_dusk_darkens_the_sky_and_lights_the_windows() -> None:
    """At dusk the picture is darker, but the windows are brighter than they were."""
    picture = small_room("house", 720)

    dusk = pixels_of(GENERATORS["exterior"].generate(picture, {"scene": "dusk"}, 1)).astype(float)

    brighter = dusk[..., 0] - picture.pixels[..., 0] > 60
    assert dusk.mean() < picture.pixels.mean() - 15
    assert 0.005 < brighter.mean() < 0.2


def test_furniture_is_on_the_floor() -> None:
    """The ceiling and the upper walls of the empty room stay as they are; below, much changes."""
    picture = small_room("empty-room")

    furnished = pixels_of(GENERATORS["furnish"].generate(picture, {}, 1))

    third = picture.height // 5
    assert mean_difference(furnished[:third], picture.pixels[:third]) < 2
    assert mean_difference(furnished[-2 * third :], picture.pixels[-2 * third :]) > 8


@pytest.mark.parametrize("move", ["push", "pan", "orbit"])
def test_video_moves_and_returns(move: str) -> None:
    """A clip has many frames, all different, the last close to the first, and repeats without end."""
    picture = small_room("living-room")

    result = GENERATORS["video"].generate(picture, {"move": move}, 1)

    with Image.open(io.BytesIO(result.data)) as clip:
        count, loop = getattr(clip, "n_frames", 1), clip.info.get("loop")
        frames = []
        for k in range(count):
            clip.seek(k)
            frames.append(np.asarray(clip.convert("RGB"), np.uint8))
    assert (result.media_type, result.suffix, loop) == ("image/webp", ".webp", 0)
    assert frames[0].shape == picture.pixels.shape
    assert len({frame.tobytes() for frame in frames}) == count >= 24
    assert mean_difference(frames[0], frames[count // 4]) > 6
    assert mean_difference(frames[0], frames[-1]) < mean_difference(frames[0], frames[count // 4])
