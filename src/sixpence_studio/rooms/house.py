"""The house with its garden: white render and timber under a slate roof, a lawn, trees, a path to the door."""

import random

import numpy as np

from sixpence_studio.rooms.drawing import Drawing
from sixpence_studio.scene.camera import Camera
from sixpence_studio.scene.furniture import Piece, placed
from sixpence_studio.scene.lighting import Lights, Sun
from sixpence_studio.scene.materials import Material
from sixpence_studio.scene.noise import Floats, fbm, smooth_noise
from sixpence_studio.scene.skies import day_sky
from sixpence_studio.scene.solids import box, bush, gable, round_post, soft_box
from sixpence_studio.scene.textures import bricks, on_faces, planks, plaster, tiles

RENDER = Material("#dcd5c7", on_faces(plaster(depth=0.035)))
CLADDING = Material("#a9784c", on_faces(planks(0.14, 3.2, variety=0.12), turned=False))
SLATE = Material("#4c5157", on_faces(tiles(0.22, stretch=1.4, variety=0.2, joint=0.012)), gloss=0.02, blur=0.2)
GLASS = Material("#1d2a33", gloss=0.35, blur=0.0)
DARK = Material("#33363a")
PAVING = Material("#bdb4a5", on_faces(tiles(0.55, stretch=1.3, variety=0.1, joint=0.02)))
BRICK = Material("#a0604a", on_faces(bricks()))


def house() -> Drawing:
    """An afternoon in early summer, seen from the lawn."""
    things: list[Piece] = [
        [box((0, -0.5, 20), (160, 1.0, 160), Material("#66803f", _grass))],
        *_main_house(), *_wing(), *_path(), *_hedges(), *_flower_beds(),
        _tree((-8.6, 0, 7.5), 7.2, seed=1), _tree((10.8, 0, 13.5), 8.2, seed=2), _tree((-12.5, 0, 19), 9.5, seed=3),
        _tree((3.5, 0, 24), 9.0, seed=4), _tree((17.5, 0, 21), 9.0, seed=5),
        *[_far_tree(k) for k in range(9)],
    ]  # fmt: skip
    return Drawing(
        things=things,
        lights=Lights(
            sun=Sun((-0.62, 0.62, -0.6), (2.5, 2.2, 1.75), 0.012),
            sky=day_sky(brightness=0.95, clouds=0.42),
            bounces=1,
            ambient=(0.12, 0.15, 0.16),
        ),
        camera=Camera(eye=(-4.6, 1.75, -9.6), focal=0.94, centre=0.5, horizon=0.68, turn=0.29),
    )


def _main_house() -> list[Piece]:
    w, h, d = 7.2, 5.0, 7.0
    z = 6.0
    walls: Piece = [box((0, h / 2, z + d / 2), (w, h, d), RENDER), gable((0, h + 1.65, z + d / 2), (w, 3.3, d), RENDER),
                    box((0, 0.2, z + d / 2), (w + 0.08, 0.4, d + 0.08), BRICK)]  # fmt: skip
    roof: Piece = []
    slope, run = 0.742, 5.35
    for side in (-1, 1):
        roof.append(box((side * 1.98, h + 1.62, z + d / 2), (run, 0.16, d + 0.9), SLATE, roll=-side * slope))
        roof.append(box((side * 1.98, h + 1.5, z - 0.43), (run, 0.22, 0.05), Material("#f1eee7"), roll=-side * slope))
    roof.append(box((2.0, h + 3.2, z + 4.4), (0.75, 1.9, 0.75), BRICK))
    roof.append(box((2.0, h + 4.2, z + 4.4), (0.9, 0.12, 0.9), DARK))
    front: list[Piece] = [
        _window(-2.15, 1.55, z, 1.7, 1.75), _window(-2.15, 3.95, z, 1.7, 1.35), _window(2.15, 3.95, z, 1.7, 1.35),
        _window(2.15, 1.55, z, 1.7, 1.75), _window(0, 6.1, z, 0.9, 1.1), _window(0, 3.95, z, 0.9, 1.35), _door(z),
    ]  # fmt: skip
    return [walls, roof, *front]


def _window(x: float, y: float, z: float, width: float, height: float) -> Piece:
    frame = Material("#f4f2ec")
    solids: Piece = [
        box((x, y, z - 0.005), (width, height, 0.03), GLASS),
        box((x, y - height / 2 - 0.05, z - 0.07), (width + 0.24, 0.08, 0.22), Material("#d8d2c6")),
    ]
    solids += [box((x + s * width / 2, y, z - 0.03), (0.09, height + 0.09, 0.08), frame) for s in (-1, 1)]
    solids += [box((x, y + s * height / 2, z - 0.03), (width, 0.09, 0.08), frame) for s in (-1, 1)]
    solids.append(box((x, y, z - 0.03), (0.05, height, 0.06), frame))
    solids.append(box((x, y + height * 0.16, z - 0.03), (width, 0.045, 0.06), frame))
    if width > 1.2:
        solids += [box((x + s * (width / 2 + 0.33), y, z - 0.03), (0.5, height + 0.06, 0.05),
                       Material("#5f7a76", on_faces(planks(0.09, 9, variety=0.05)))) for s in (-1, 1)]  # fmt: skip
    return solids


def _door(z: float) -> Piece:
    wood = Material("#7a4a2c", on_faces(planks(0.13, 9, variety=0.1), turned=False))
    pale = Material("#f1eee7")
    return [
        box((0, 1.25, z - 0.02), (1.1, 2.1, 0.06), wood),
        box((0.38, 1.25, z - 0.07), (0.04, 0.3, 0.04), Material("#c9a55a", gloss=0.3, blur=0.1)),
        *[box((s * 0.62, 1.25, z - 0.03), (0.12, 2.2, 0.1), pale) for s in (-1, 1)],
        box((0, 2.38, z - 0.03), (1.4, 0.16, 0.1), pale),
        box((0, 2.75, z - 0.6), (2.1, 0.12, 1.4), SLATE, lean=-0.2),
        *[round_post((s * 0.92, 1.3, z - 1.1), (0.13, 2.5, 0.13), pale) for s in (-1, 1)],
        box((0, 0.08, z - 0.65), (2.3, 0.16, 1.4), PAVING),
        box((0, 0.04, z - 1.5), (2.3, 0.08, 0.45), PAVING),
    ]


def _wing() -> list[Piece]:
    z, w, d, h = 7.2, 4.4, 5.2, 2.9
    x = 3.6 + w / 2
    body: Piece = [
        box((x, h / 2, z + d / 2), (w, h, d), CLADDING),
        box((x + 0.1, h + 0.08, z + d / 2 - 0.15), (w + 0.5, 0.2, d + 0.6), DARK),
    ]
    glass: Piece = [box((x, 1.3, z - 0.01), (3.4, 2.3, 0.05), GLASS)]
    glass += [box((x + dx, 1.3, z - 0.04), (0.07, 2.36, 0.07), DARK) for dx in (-1.7, -0.57, 0.57, 1.7)]
    glass += [box((x, y, z - 0.04), (3.47, 0.07, 0.07), DARK) for y in (0.15, 2.45)]
    terrace: Piece = [box((x - 0.2, 0.05, z - 1.4), (5.0, 0.12, 2.7), PAVING)]
    legs = [box((s * 0.65, 0.2, 0), (0.07, 0.4, 0.36), DARK) for s in (-1, 1)]
    seat = soft_box((0, 0.42, 0), (1.6, 0.06, 0.42), CLADDING, rounding=0.02)
    bench = placed([seat, *legs], (x + 0.2, 0.1, z - 1.5))
    return [body, glass, terrace, bench]


def _path() -> list[Piece]:
    chance = random.Random(9)
    stones: Piece = []
    for k in range(11):
        z = 3.9 - 1.0 * k
        x = -0.1 - 0.016 * k * k + chance.uniform(-0.06, 0.06)
        stones.append(
            soft_box((x, 0.01, z), (1.5, 0.06, 0.82), PAVING, rounding=0.028, turn=chance.uniform(-0.07, 0.07))
        )
    return [stones]


def _hedges() -> list[Piece]:
    green = Material("#4d6f36", _leaves)
    things: list[Piece] = []
    for x in (-5.0, -4.0, -3.1):
        things.append([bush((x, 0.45, 5.35), (1.3, 1.15, 1.1), green, ripple=11)])
    for x in (1.7, 2.6):
        things.append([bush((x, 0.4, 5.4), (1.15, 0.95, 0.95), green, ripple=12)])
    for s in (-1, 1):
        things.append([bush((s * 1.35, 0.75, 4.75), (0.8, 1.1, 0.8), Material("#567a3f", _leaves), ripple=14),
                       round_post((s * 1.35, 0.25, 4.75), (0.5, 0.42, 0.5), Material("#b56f4c"), top=1.3)])  # fmt: skip
    row: Piece = [bush((-16 + 1.7 * k, 0.7, 15.5), (2.3, 2.2, 1.6), green, ripple=7) for k in range(8)]
    row += [bush((9.3 + 1.7 * k, 0.7, 15.5), (2.3, 2.2, 1.6), green, ripple=7) for k in range(8)]
    return [*things, row]


def _flower_beds() -> list[Piece]:
    chance = random.Random(4)
    colours = ("#d8637d", "#e9b24a", "#f2ece4", "#8a63b0", "#e08a5a")
    things: list[Piece] = []
    for left, right, z in ((-5.4, -1.9, 4.45), (1.9, 3.4, 4.6)):
        bed: Piece = []
        for _ in range(int((right - left) * 15)):
            x, depth, tall = chance.uniform(left, right), z + chance.uniform(-0.4, 0.3), chance.uniform(0.16, 0.4)
            bed.append(bush((x, tall / 2, depth), (0.34, tall, 0.34), Material("#5f8442", _leaves), ripple=24))
            bed.append(
                bush(
                    (x + 0.04, tall + 0.01, depth - 0.06),
                    (0.17, 0.14, 0.17),
                    Material(chance.choice(colours)),
                    ripple=40,
                )
            )
        things.append(bed)
    return things


def _tree(at: tuple[float, float, float], height: float, *, seed: int) -> Piece:
    chance = random.Random(seed)
    bark = Material("#5d4a38", _bark)
    solids: Piece = [
        round_post((at[0], height * 0.24, at[2]), (height * 0.075, height * 0.48, height * 0.075), bark, top=0.6)
    ]
    for k in range(4):
        turn = k * 1.9 + chance.uniform(-0.3, 0.3)
        solids.append(round_post((at[0], height * 0.47, at[2]), (height * 0.03, height * 0.34, height * 0.03), bark,
                                 top=0.5, turn=turn, lean=0.45))  # fmt: skip
    for k in range(17):
        angle, up = k * 2.399963, (k + 0.5) / 17
        out = height * 0.29 * (1 - (2 * up - 0.85) ** 2 * 0.62) * chance.uniform(0.7, 1.05)
        size = height * chance.uniform(0.24, 0.33)
        shade = chance.choice(("#54783a", "#5f8541", "#4b6d35", "#698c46"))
        centre = (at[0] + out * np.cos(angle), height * (0.42 + 0.48 * up), at[2] + out * np.sin(angle))
        solids.append(bush(centre, (size, size * 0.8, size), Material(shade, _leaves), ripple=26 / size))
    return solids


def _far_tree(k: int) -> Piece:
    chance = random.Random(100 + k)
    x, z = -26 + 6.8 * k + chance.uniform(-1, 1), 34 + chance.uniform(-3, 3)
    return [bush((x, 3.0, z), (8.0, chance.uniform(6.5, 9.5), 6), Material("#6b8a5f", _leaves), ripple=2.2)]


def _grass(local: Floats, normal: Floats) -> Floats:  # noqa: ARG001
    u, v = local[0], local[2]
    mown = 1 + 0.06 * np.sign(np.sin(u * 2.2 + 0.4))
    blades = 0.22 * smooth_noise(u * 38, v * 16, seed=3) + 0.16 * smooth_noise(u * 90, v * 30, seed=4)
    patches = 0.12 * fbm(u * 0.6, v * 0.6, seed=5)
    shade = mown * (1 + blades + patches)
    return np.stack([shade * (1 + 0.5 * patches), shade, shade * (1 - 0.4 * patches)]).astype(np.float32)


def _leaves(local: Floats, normal: Floats) -> Floats:
    reach = 14.0
    a = smooth_noise(local[0] * reach + local[2] * 5, local[1] * reach, seed=6)
    b = smooth_noise(local[2] * reach * 2, local[1] * reach * 2 + local[0] * 9, seed=7)
    shade = 1 + 0.42 * a + 0.35 * b + 0.1 * normal[1]
    return np.stack([shade * (1 + 0.12 * b), shade, shade * 0.9]).astype(np.float32)


def _bark(local: Floats, normal: Floats) -> Floats:  # noqa: ARG001
    shade = 1 + 0.35 * smooth_noise(local[0] * 30 + local[2] * 30, local[1] * 5, seed=8)
    return np.stack([shade, shade, shade]).astype(np.float32)
