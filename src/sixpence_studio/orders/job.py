"""A job and how a worker process runs it: a picture's bytes go in, the original as shown and the result come out.

Not here: which process runs it, and its time limit (worker_pool.py).
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
    """A picture to be made: its generator, the source picture's bytes, the options; `seed` decides all randomness."""

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


def run_job(job: Job) -> Made:
    """Run the job; raises what the generator raises, `GeneratorError` for a bad picture or option."""
    picture = open_picture(job.picture)
    result = job.generator.generate(picture, job.options, job.seed)
    return Made(jpeg_bytes(picture.pixels), result.data, result.media_type, result.suffix)


def prepare_worker() -> None:
    """Prepare a worker process: it exits when the server exits, however that ends, and ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_server, name="watch", daemon=True).start()


def _exit_with_server() -> None:
    server = multiprocessing.parent_process()
    if server is not None:
        server.join()
        os._exit(0)
