"""The bedroom: a window beside the bed, a soft green wall, two lamps lit in the late afternoon."""

from sixpence_studio.rooms.drawing import Drawing
from sixpence_studio.rooms.shell import Opening, Shell, curtain, rail
from sixpence_studio.scene.camera import Camera
from sixpence_studio.scene.furnishings import picture, plant, rug, table_lamp, vase
from sixpence_studio.scene.furniture import Palette, Piece, armchair, bed, placed, timber
from sixpence_studio.scene.lighting import Lamp, Lights, Sun
from sixpence_studio.scene.materials import Material
from sixpence_studio.scene.skies import window_view
from sixpence_studio.scene.solids import box, soft_box
from sixpence_studio.scene.textures import herringbone, on_faces, plaster

PALETTE = Palette(fabric="#b9c2bd", second_fabric="#9c8e7c", accent="#b5694e", timber="#a9825a")

SHELL = Shell(
    width=4.8, height=2.7, front=-1.6, back=4.6,
    floor=Material("#b99b78", on_faces(herringbone(0.11, 6)), gloss=0.035, blur=0.06),
    wall=Material("#e8e4dc", on_faces(plaster(depth=0.02))),
    back_wall=Material("#a9b5a4", on_faces(plaster(depth=0.05))),
    ceiling=Material("#f2efe9"),
    right=(Opening(1.2, 3.2, 0.75, 2.35),),
)  # fmt: skip


def bedroom() -> Drawing:
    """A double bed under three pictures, morning light from the right."""
    palette = PALETTE
    things: list[Piece] = [
        placed(rug("#d9d2c4", (0.8, 0.74, 0.7), width=2.7, depth=1.7, period=0.45), (-0.25, 0, 2.75)),
        placed(bed(palette), (-0.25, 0, 3.42)),
        placed(armchair(palette), (1.75, 0, 3.75), turn=0.75),
        placed(picture(("#ece6da", "#c98d5f", "#8a9a86", "#3f4c4a"), width=0.55, height=0.75), (-0.95, 1.78, 4.6)),
        placed(picture(("#e5ddcf", "#8a9a86", "#b5694e", "#e0b67c"), width=0.55, height=0.75), (-0.25, 1.78, 4.6)),
        placed(picture(("#ece6da", "#d3b58f", "#46564f", "#b5694e"), width=0.55, height=0.75), (0.45, 1.78, 4.6)),
        placed(plant(palette, height=1.25, seed=5), (2.02, 0, 2.55)),
        _dresser(palette),
        placed(vase(palette, height=0.24), (-2.12, 0.84, 2.75)),
        curtain(2.28, 0.75, 0.45, along_z=True, height=2.5, colour="#efe9de"),
        curtain(2.28, 3.2, 0.45, along_z=True, height=2.5, colour="#efe9de"),
        rail((2.28, 2.5, 0.65), 3.1, along_z=True),
    ]
    for x in (-1.42, 0.92):
        things += [placed(_bedside(palette), (x, 0, 4.3)), placed(table_lamp(palette), (x, 0.52, 4.3))]
    lamps = tuple(Lamp((x, 0.92, 4.28), 0.12, (0.34, 0.25, 0.15)) for x in (-1.42, 0.92))
    return Drawing(
        things=[*SHELL.things(), *things],
        lights=Lights(
            sun=Sun((0.9, 0.62, -0.1), (10.0, 8.4, 6.3), 0.014),
            windows=SHELL.windows((8.6, 9.0, 9.6)),
            lamps=lamps,
            sky=window_view(seed=61),
            ambient=(0.05, 0.05, 0.05),
        ),
        camera=Camera(eye=(-0.3, 1.35, -1.3), focal=0.78, centre=0.46, horizon=0.45),
    )


def _bedside(palette: Palette) -> Piece:
    wooden = timber(palette.timber)
    return [
        soft_box((0, 0.32, 0), (0.46, 0.36, 0.4), wooden, rounding=0.02),
        soft_box((0, 0.32, -0.2), (0.42, 0.15, 0.012), wooden, rounding=0.005),
        box((0, 0.32, -0.212), (0.09, 0.012, 0.014), Material(palette.metal)),
        *[box((x, 0.07, z), (0.03, 0.14, 0.03), wooden) for x in (-0.19, 0.19) for z in (-0.16, 0.16)],
    ]


def _dresser(palette: Palette) -> Piece:
    wooden, knob = timber(palette.timber), Material(palette.metal)
    solids = [soft_box((0, 0.46, 0), (1.3, 0.74, 0.46), wooden, rounding=0.018)]
    for row in range(3):
        for x in (-0.32, 0.32):
            y = 0.22 + 0.24 * row
            solids.append(soft_box((x, y, -0.232), (0.61, 0.22, 0.014), wooden, rounding=0.006))
            solids.append(box((x, y + 0.02, -0.246), (0.1, 0.014, 0.018), knob))
    solids += [box((x, 0.05, z), (0.04, 0.1, 0.04), wooden) for x in (-0.58, 0.58) for z in (-0.18, 0.18)]
    return placed(solids, (-2.14, 0, 2.75), turn=-1.5708)
