import pytest

from tests.tasks.outputs.cases import CASES


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]
