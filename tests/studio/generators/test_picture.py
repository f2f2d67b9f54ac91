"""Uploads become pictures, or are refused with a sentence that says why."""

import io
import pickle
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from sixpence_studio.generators import PictureError, open_picture
from tests.studio.generators.pictures import file_of, gradient, mean_difference


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_png_jpeg_and_webp_are_read(kind: str) -> None:
    """PNG, JPEG and WebP give the picture they hold."""
    image = gradient()

    picture = open_picture(file_of(image, kind))

    assert (picture.width, picture.height) == (120, 90)
    assert mean_difference(picture.pixels, np.asarray(image)) < 6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_png_colour_modes_are_read(mode: str) -> None:
    """Black and white, grey, palette and alpha give three channels of 8 bits."""
    image = gradient().convert("L").convert(mode) if mode in ("L", "LA", "1") else gradient(mode)

    picture = open_picture(file_of(image))

    assert picture.pixels.dtype == np.uint8
    assert mean_difference(picture.pixels, np.asarray(image.convert("RGB"))) < 1


def test_sixteen_bit_png_becomes_eight_bit() -> None:
    """A 16-bit grey picture keeps its brightness and is not cut off at white."""
    values = np.linspace(0, 65535, 120 * 90).reshape(90, 120)
    image = Image.fromarray(values.astype(np.uint16))

    picture = open_picture(file_of(image))

    assert mean_difference(picture.pixels[..., 0], values / 257) < 1


def test_cmyk_jpeg_becomes_rgb() -> None:
    """A CMYK JPEG is read in red, green and blue."""
    image = gradient("CMYK")

    picture = open_picture(file_of(image, "JPEG", quality=95))

    assert mean_difference(picture.pixels, np.asarray(image.convert("RGB"))) < 12


def test_transparent_parts_become_white() -> None:
    """Transparent parts are white, whatever colour they hide."""
    image = Image.new("RGBA", (80, 80), (200, 0, 0, 0))

    picture = open_picture(file_of(image))

    assert (picture.pixels == 255).all()


def test_exif_orientation_is_applied() -> None:
    """A photo with an EXIF orientation is turned upright."""
    image = gradient()
    exif = Image.Exif()
    exif[0x0112] = 6

    picture = open_picture(file_of(image, "JPEG", exif=exif, quality=95))

    assert (picture.width, picture.height) == (90, 120)
    assert mean_difference(picture.pixels, np.asarray(image.rotate(-90, expand=True))) < 6


def test_large_photo_is_scaled_down() -> None:
    """The longer side becomes 1280 pixels and the proportions stay."""
    picture = open_picture(file_of(gradient(size=(4000, 3000)), "JPEG"))

    assert (picture.width, picture.height) == (1280, 960)


def test_animation_gives_its_first_frame() -> None:
    """An animated WebP gives its first frame."""
    frames = [Image.new("RGB", (80, 80), colour) for colour in ("white", "black", "red")]

    picture = open_picture(file_of(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))

    assert (picture.pixels == 255).all()


def test_picture_is_read_only() -> None:
    """Writing to a picture's pixels raises."""
    picture = open_picture(file_of(gradient()))

    with pytest.raises(ValueError, match="read-only"):
        picture.pixels[0, 0, 0] = 1


def test_smallest_accepted_picture() -> None:
    """64 pixels a side are accepted: the counterpart of the refusal below."""
    assert open_picture(file_of(gradient(size=(64, 64)))).width == 64


_UNKNOWN = "The file is no picture that could be recognised. Please send a PNG, JPEG or WebP picture."
_SMALL = "The picture is too small: 200 x 63 pixels. It needs at least 64 on each side."
_HEAVY = "The file has 10.0 MB; at most 10 MB are accepted. Please send a smaller one."
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"/>'


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty. Please send a PNG, JPEG or WebP picture."),
        (b"Dear Sir or Madam", _UNKNOWN),
        (_SVG, "This looks like an SVG drawing, which is not accepted. Please send a PNG, JPEG or WebP picture."),
        (file_of(gradient(), "GIF"), "This is a GIF, which is not accepted. Please send a PNG, JPEG or WebP picture."),
        (b"%PDF-1.7\n", "This is a PDF, not a picture. Please send a PNG, JPEG or WebP picture."),
        (
            b"\x00\x00\x00\x18ftypheic" + b"\x00" * 40,
            "This is a HEIC or AVIF picture, which is not accepted. Please send a PNG, JPEG or WebP picture.",
        ),
        (file_of(gradient(), "BMP"), _UNKNOWN),
        (file_of(gradient(size=(200, 63))), _SMALL),
        (b"\xff" * (10 * 1024 * 1024 + 1), _HEAVY),
    ],
    ids=["empty", "text", "svg", "gif", "pdf", "heic", "bmp", "small", "heavy"],
)  # fmt: skip
def test_unusable_file_is_refused(data: bytes, sentence: str) -> None:
    """Each refusal says what is wrong and what to do."""
    with pytest.raises(PictureError) as refusal:
        open_picture(data)

    assert (refusal.value.code, str(refusal.value)) == ("invalid-picture", sentence)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.4, 0.9])
def test_truncated_file_is_refused(kind: str, share: float) -> None:
    """A picture that ends too early is refused, not used in part."""
    noise = np.random.default_rng(1).integers(0, 255, (90, 120, 3), np.uint8)
    data = file_of(Image.fromarray(noise), kind)

    with pytest.raises(PictureError):
        open_picture(data[: int(len(data) * share)])


def test_damaged_file_is_refused_or_read() -> None:
    """With any byte changed, the outcome is a picture or a PictureError."""
    chance = np.random.default_rng(7)
    files = [bytearray(file_of(gradient(), kind)) for kind in ("PNG", "JPEG", "WEBP")]

    outcomes = set()
    for _ in range(300):
        for original in files:
            data = bytearray(original)
            for position in chance.integers(0, len(data), 3):
                data[position] = int(chance.integers(256))
            try:
                outcomes.add(type(open_picture(bytes(data))).__name__)
            except PictureError:
                outcomes.add("PictureError")

    assert outcomes == {"Picture", "PictureError"}


def test_decompression_bomb_is_refused_from_its_header() -> None:
    """A small file whose header claims 50,000 x 50,000 pixels is refused before decoding."""
    with pytest.raises(PictureError) as refusal:
        open_picture(_png_that_claims(50_000, 50_000))

    assert "at most 40 megapixels are accepted" in str(refusal.value)


def test_a_picture_of_more_than_forty_megapixels_is_refused() -> None:
    """One row beyond 40 megapixels is refused, with its size."""
    with pytest.raises(PictureError) as refusal:
        open_picture(_png_that_claims(8000, 5001))

    assert str(refusal.value) == (
        "The picture is with 8000 x 5001 pixels too large; at most 40 megapixels are accepted. Please scale it down."
    )


def test_picture_error_can_be_pickled() -> None:
    """A PictureError comes out of a pickle as it went in."""
    error = pickle.loads(pickle.dumps(PictureError("The file is empty.")))

    assert (type(error), str(error)) == (PictureError, "The file is empty.")


def _png_that_claims(width: int, height: int) -> bytes:
    buffer = io.BytesIO(b"")
    buffer.write(b"\x89PNG\r\n\x1a\n")
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")):
        buffer.write(struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)))
    return buffer.getvalue()
