"""What happens in a worker process: a picture's bytes go in, the original as shown and the result come out.

Not here: which process does it, and for how long it may (workshop.py).
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from sixpence_studio.generators import Generator
from sixpence_studio.generators.picture import jpeg_bytes, open_picture


@dataclass(frozen=True)
class Job:
    """A picture to be made: by which generator, of which picture's bytes; `seed` decides what is left to chance."""

    generator: Generator
    picture: bytes
    options: Mapping[str, str]
    seed: int


@dataclass(frozen=True)
class Made:
    """A finished job: the original, upright and as large as the result, as a JPEG; and the result as a file."""

    before: bytes
    after: bytes
    media_type: str
    suffix: str


def make(job: Job) -> Made:
    """Does the job; raises what the generator raises, `GeneratorError` where the picture or an option is to blame."""
    picture = open_picture(job.picture)
    result = job.generator.generate(picture, job.options, job.seed)
    return Made(jpeg_bytes(picture.pixels), result.data, result.media_type, result.suffix)


def settle_in() -> None:
    """Prepares a worker process: it ends with the server, however that ends, and leaves Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_the_server, name="watch", daemon=True).start()


def _leave_with_the_server() -> None:
    server = multiprocessing.parent_process()
    if server is not None:
        server.join()
        os._exit(0)
