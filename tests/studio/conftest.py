"""The studios that many tests share; each test signs up customers of its own."""

from collections.abc import Iterator

import pytest

from tests.studio.served import Customer, StudioServer, running_studio


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioServer]:
    """The studio as it is."""
    with running_studio(tmp_path_factory.mktemp("studio")) as running:
        yield running


@pytest.fixture(scope="module")
def moody_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioServer]:
    """A studio whose sketches take their time, fail or die when they are told to."""
    with running_studio(tmp_path_factory.mktemp("moody"), moody=True) as running:
        yield running


@pytest.fixture
def customer(studio: StudioServer) -> Customer:
    """Somebody with six credits in the studio as it is."""
    return studio.customer()


@pytest.fixture
def moody_customer(moody_studio: StudioServer) -> Customer:
    """Somebody with six credits in the moody studio."""
    return moody_studio.customer()
