"""What holds for every test: slow machines fail no example, and no test changes arithmetic."""

import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("here", deadline=None)
settings.load_profile("here")


@pytest.fixture(autouse=True)
def whole_floats() -> Iterator[None]:
    """Undo what training in this very thread leaves behind: flushed denormals."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
