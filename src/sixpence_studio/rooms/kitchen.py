"""The kitchen: sage fronts, a marble island, a wide window over the sink, a dining corner in front."""

from sixpence_studio.rooms.drawing import Drawing
from sixpence_studio.rooms.shell import Opening, Shell
from sixpence_studio.scene.camera import Camera
from sixpence_studio.scene.furnishings import hanging_lamp, plant, vase
from sixpence_studio.scene.furniture import Palette, Piece, placed, timber
from sixpence_studio.scene.lighting import Lamp, Lights, Sun
from sixpence_studio.scene.materials import Material
from sixpence_studio.scene.skies import window_view
from sixpence_studio.scene.solids import box, egg, round_post, soft_box
from sixpence_studio.scene.textures import marble, on_faces, plaster, tiles

PALETTE = Palette(fabric="#d5cdbd", second_fabric="#c9a779", accent="#b87d45", timber="#b08a5e", stone="#eeebe5")
FRONT = Material("#8fa08c", gloss=0.02, blur=0.15)
BRASS = Material("#b08d4f", gloss=0.25, blur=0.1)
STEEL = Material("#b9bcbf", gloss=0.3, blur=0.12)
MARBLE = Material("#ebe8e3", on_faces(marble()), gloss=0.05, blur=0.02)
BACK = 4.9

SHELL = Shell(
    width=5.6, height=2.75, front=-1.6, back=BACK,
    floor=Material("#cfc6b8", on_faces(tiles(0.6, variety=0.05)), gloss=0.05, blur=0.04),
    wall=Material("#ece8e0", on_faces(plaster(depth=0.02))),
    ceiling=Material("#f3f1ec"),
    rear=(Opening(-1.0, 1.0, 1.1, 2.25),),
    left=(Opening(1.0, 2.8, 0.0, 2.4),),
)  # fmt: skip


def kitchen() -> Drawing:
    """Morning: light from the garden door on the left and from over the sink."""
    palette = PALETTE
    things: list[Piece] = [
        _worktop(), _splashback(), *_base_units(), *_wall_units(), *_shelves(palette), _sink(), _hob(), _island(),
        placed(plant(palette, height=0.5, leaves=18, seed=8), (-1.35, 0.93, 4.55)),
        placed(vase(palette, height=0.26), (0.75, 0.95, 2.75)),
        _fruit_bowl(),
        placed(plant(palette, height=1.35, seed=3), (-2.35, 0, 4.0)),
    ]  # fmt: skip
    things += [
        placed(_stool(palette), (x, 0, 2.15), turn=turn) for x, turn in ((-0.55, 0.2), (0.25, -0.1), (1.05, 0.1))
    ]
    lamps = []
    for x in (-0.45, 0.25, 0.95):
        things.append(placed(hanging_lamp(palette, drop=0.78, width=0.34), (x, 2.75, 2.7)))
        lamps.append(Lamp((x, 1.78, 2.7), 0.05, (0.3, 0.22, 0.13)))
    return Drawing(
        things=[*SHELL.things(), *things],
        lights=Lights(
            sun=Sun((-0.9, 0.62, 0.35), (10.5, 9.1, 7.0), 0.014),
            windows=SHELL.windows((6.8, 7.2, 7.8)),
            lamps=tuple(lamps),
            sky=window_view(brightness=1.9, treetops=0.1, seed=71),
            ambient=(0.06, 0.06, 0.06),
        ),
        camera=Camera(eye=(-0.15, 1.5, -1.3), focal=0.8, centre=0.48, horizon=0.42),
    )


def _worktop() -> Piece:
    return [box((0.2, 0.9, BACK - 0.31), (4.4, 0.04, 0.64), MARBLE)]


def _splashback() -> Piece:
    glazed = Material("#e9e7e0", on_faces(tiles(0.075, stretch=2.6, variety=0.07, joint=0.004)), gloss=0.06, blur=0.03)
    left = box((-1.53, 1.3, BACK - 0.008), (0.94, 0.76, 0.016), glazed)
    right = box((1.73, 1.3, BACK - 0.008), (1.34, 0.76, 0.016), glazed)
    return [left, right, box((0, 1.0, BACK - 0.008), (2.12, 0.16, 0.016), glazed)]


def _base_units() -> list[Piece]:
    solids: Piece = [box((0.2, 0.46, BACK - 0.29), (4.38, 0.84, 0.56), FRONT),
                     box((0.2, 0.05, BACK - 0.26), (4.3, 0.1, 0.5), Material("#3a3f3a"))]  # fmt: skip
    for k in range(7):
        x = -1.99 + 0.626 * (k + 0.5)
        solids += _front(x, 0.5, BACK - 0.58, 0.61, 0.74)
        solids.append(box((x, 0.78, BACK - 0.61), (0.16, 0.014, 0.02), BRASS))
    return [solids]


def _wall_units() -> list[Piece]:
    tall: Piece = [box((2.52, 1.18, BACK - 0.32), (0.56, 2.2, 0.62), FRONT)]
    tall += _front(2.52, 1.52, BACK - 0.635, 0.54, 1.48) + _front(2.52, 0.44, BACK - 0.635, 0.54, 0.66)
    tall.append(box((2.3, 1.2, BACK - 0.67), (0.014, 0.34, 0.02), BRASS))
    hood: Piece = [
        box((1.7, 2.3, BACK - 0.16), (0.34, 0.9, 0.3), Material("#e6e2d9")),
        soft_box((1.7, 1.78, BACK - 0.24), (0.9, 0.2, 0.46), Material("#e6e2d9"), rounding=0.02),
        box((1.7, 1.7, BACK - 0.24), (0.9, 0.03, 0.47), timber(PALETTE.timber)),
    ]
    return [tall, hood]


def _front(x: float, y: float, z: float, width: float, height: float) -> Piece:
    """A framed cupboard front: four rails about a sunken panel."""
    rail = 0.07
    return [
        box((x, y, z + 0.006), (width, height, 0.012), FRONT),
        *[box((x + s * (width / 2 - rail / 2), y, z - 0.006), (rail, height, 0.016), FRONT) for s in (-1, 1)],
        *[
            box((x, y + s * (height / 2 - rail / 2), z - 0.006), (width - 2 * rail, rail, 0.016), FRONT)
            for s in (-1, 1)
        ],
    ]


def _shelves(palette: Palette) -> list[Piece]:
    wooden = timber(palette.timber)
    pots = [Material(c, gloss=0.05, blur=0.05) for c in ("#e9e4da", "#b87d45", "#7f8f86", "#d8c9ae", "#4f5b57")]
    things: list[Piece] = []
    for level, y in enumerate((1.55, 1.93)):
        solids: Piece = [soft_box((-1.65, y, BACK - 0.13), (1.0, 0.035, 0.24), wooden, rounding=0.01)]
        for k in range(5):
            x, size = -2.02 + 0.185 * k, 0.11 + 0.05 * ((k * 3 + level) % 3) / 2
            if (k + level) % 2:
                solids.append(round_post((x, y + 0.02 + size * 0.6, BACK - 0.13), (size, size * 1.2, size),
                                         pots[(k + 2 * level) % 5], top=1.15))  # fmt: skip
            else:
                solids.append(egg((x, y + 0.015 + size * 0.55, BACK - 0.13), (size * 1.25, size * 1.1, size * 1.25),
                                  pots[(k + level) % 5]))  # fmt: skip
        things.append(solids)
    return things


def _sink() -> Piece:
    return [
        box((0, 0.925, BACK - 0.33), (0.66, 0.012, 0.42), STEEL),
        box((0, 0.928, BACK - 0.34), (0.58, 0.012, 0.34), Material("#6d7173", gloss=0.15, blur=0.1)),
        round_post((0, 1.06, BACK - 0.1), (0.03, 0.28, 0.03), BRASS),
        round_post((0, 1.2, BACK - 0.19), (0.025, 0.2, 0.025), BRASS, lean=1.5708),
        round_post((0, 1.16, BACK - 0.285), (0.026, 0.1, 0.026), BRASS),
    ]


def _hob() -> Piece:
    black = Material("#1c1d1f", gloss=0.08, blur=0.02)
    return [
        box((1.7, 0.925, BACK - 0.32), (0.74, 0.012, 0.48), black),
        round_post((1.86, 1.0, BACK - 0.24), (0.24, 0.14, 0.24), Material("#a5502f", gloss=0.05, blur=0.05), top=1.05),
        round_post((1.86, 1.08, BACK - 0.24), (0.25, 0.02, 0.25), Material("#a5502f", gloss=0.05, blur=0.05)),
        egg((1.86, 1.1, BACK - 0.24), (0.04, 0.04, 0.04), BRASS),
        egg((1.5, 1.01, BACK - 0.36), (0.2, 0.17, 0.2), STEEL),
    ]


def _island() -> Piece:
    solids: Piece = [
        box((0.25, 0.91, 2.7), (2.5, 0.05, 0.95), MARBLE),
        box((0.25, 0.47, 2.82), (2.3, 0.83, 0.62), Material("#4f5f55")),
    ]
    panel = Material("#56675c")
    solids += [box((-0.9 + 0.128 * (k + 0.5), 0.47, 2.505), (0.112, 0.8, 0.02), panel) for k in range(18)]
    return solids


def _stool(palette: Palette) -> Piece:
    wooden, metal = timber(palette.timber), Material(palette.metal)
    solids: Piece = [soft_box((0, 0.66, 0), (0.4, 0.05, 0.38), wooden, rounding=0.024)]
    solids += [round_post((sx * 0.15, 0.32, sz * 0.14), (0.028, 0.65, 0.028), metal, roll=sx * 0.08, lean=-sz * 0.08)
               for sx in (-1, 1) for sz in (-1, 1)]  # fmt: skip
    solids += [box((0, 0.24, z), (0.32, 0.018, 0.018), metal) for z in (-0.16, 0.16)]
    return solids


def _fruit_bowl() -> Piece:
    fruit = [(-0.06, 0.02, "#d08a2e"), (0.06, 0.03, "#c9a227"), (0.0, -0.05, "#b5432c"), (0.01, 0.08, "#d08a2e")]
    bowl = round_post((-0.5, 0.975, 2.72), (0.34, 0.08, 0.34), Material("#d9d2c4"), top=1.5)
    return [bowl, *[egg((-0.5 + x, 1.04, 2.72 + z), (0.095, 0.09, 0.095), Material(c)) for x, z, c in fruit]]
