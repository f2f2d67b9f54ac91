"""The living room, empty and furnished: oak boards, two tall windows on the left, a morning sun."""

from sixpence_studio.rooms.drawing import Drawing
from sixpence_studio.rooms.shell import Opening, Shell, curtain, rail
from sixpence_studio.scene.camera import Camera
from sixpence_studio.scene.furnishings import floor_lamp, picture, plant, rug, shelf
from sixpence_studio.scene.furniture import Palette, Piece, armchair, coffee_table, placed, round_table, sofa
from sixpence_studio.scene.lighting import Lamp, Lights, Sun
from sixpence_studio.scene.materials import Material
from sixpence_studio.scene.skies import window_view
from sixpence_studio.scene.textures import on_faces, planks, plaster

PALETTE = Palette(fabric="#c8bda8", second_fabric="#6f8078", accent="#b8653a", timber="#9a6b41")

SHELL = Shell(
    width=5.4, height=2.8, front=-1.6, back=5.2,
    floor=Material("#c2a27c", on_faces(planks(0.17, 1.9, variety=0.12)), gloss=0.035, blur=0.05),
    wall=Material("#e9e5dd", on_faces(plaster(depth=0.02))),
    ceiling=Material("#f2efe9"),
    left=(Opening(0.5, 2.0, 0.0, 2.45), Opening(2.9, 4.4, 0.0, 2.45)),
)  # fmt: skip


def empty_living_room() -> Drawing:
    """The room without furniture."""
    return _drawing([])


def living_room() -> Drawing:
    """The same room, furnished."""
    palette = PALETTE
    things: list[Piece] = [
        placed(rug("#d8cfbd", (0.62, 0.55, 0.5), width=3.0, depth=2.1), (0.35, 0, 3.05)),
        placed(sofa(palette, width=2.3), (0.35, 0, 4.35)),
        placed(coffee_table(palette), (0.3, 0, 2.95)),
        placed(armchair(palette), (-1.5, 0, 2.75), turn=-1.0),
        placed(floor_lamp(palette), (1.9, 0, 4.65)),
        placed(plant(palette, height=1.5), (-1.95, 0, 4.65)),
        placed(shelf(palette, width=1.3, height=2.0), (2.52, 0, 2.6), turn=1.5708),
        placed(round_table(palette), (-1.25, 0, 4.3)),
        placed(picture(("#e3d5bd", "#c56a3d", "#5f7a72", "#26313a")), (-0.12, 1.72, 5.2)),
        placed(picture(("#d9dcd4", "#d9a441", "#b8653a", "#47584f")), (0.78, 1.72, 5.2)),
    ]
    return _drawing(things)


def _drawing(things: list[Piece]) -> Drawing:
    height = 2.62
    curtains: list[Piece] = [
        curtain(-2.58, z, 0.42, along_z=True, height=height, colour="#ece6da") for z in (0.12, 1.98, 2.5, 4.4)
    ]
    rails: list[Piece] = [rail((-2.58, height, 0.0), 4.95, along_z=True)]
    lamps = (Lamp((1.9, 1.55, 4.65), 0.16, (0.5, 0.36, 0.22)),) if things else ()
    return Drawing(
        things=[*SHELL.things(), *curtains, *rails, *things],
        lights=Lights(
            sun=Sun((-0.95, 0.72, 0.12), (11.0, 9.6, 7.6), 0.012),
            windows=SHELL.windows((6.4, 6.9, 7.6)),
            lamps=lamps,
            sky=window_view(),
            ambient=(0.02, 0.02, 0.02),
        ),
        camera=Camera(eye=(0.25, 1.38, -1.25), focal=0.74, centre=0.52, horizon=0.46),
    )
