"""The studios that many tests share; each test signs up its own customers."""

from collections.abc import Iterator

import pytest

from tests.studio.served import Customer, StudioServer, running_studio


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioServer]:
    """The studio with its own generators."""
    with running_studio(tmp_path_factory.mktemp("studio")) as running:
        yield running


@pytest.fixture(scope="module")
def mirror_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioServer]:
    """A studio whose sketches can be slow, fail or die, by an option of the order."""
    with running_studio(tmp_path_factory.mktemp("mirror"), mirror=True) as running:
        yield running


@pytest.fixture
def customer(studio: StudioServer) -> Customer:
    """A new customer with six credits in the studio."""
    return studio.customer()


@pytest.fixture
def mirror_customer(mirror_studio: StudioServer) -> Customer:
    """A new customer with six credits in the mirror studio."""
    return mirror_studio.customer()
