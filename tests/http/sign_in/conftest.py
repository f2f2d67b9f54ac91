"""The fixture of this folder: a running site with the sign-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.auth.site import Site, running_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A running site with nobody signed up."""
    with running_site(tmp_path) as running:
        yield running
