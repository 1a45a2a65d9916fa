import math

import pytest

from trainers.config.objective import Objective


@pytest.mark.parametrize(("direction", "winner"), [("minimize", 1.0), ("maximize", 2.0)])
def test_objectives_know_what_is_better(direction, winner):
    objective = Objective("x", direction)
    assert objective.better(winner, 3.0 - winner)
    assert not objective.better(3.0 - winner, winner)
    assert not objective.better(winner, winner)
    assert objective.better(winner, None)


def test_a_cost_is_to_be_minimised_and_infinite_where_there_is_no_value():
    assert Objective("rmse").cost(0.5) == 0.5
    assert Objective("r2", "maximize").cost(0.5) == -0.5
    assert Objective("r2", "maximize").cost(None) == math.inf
    assert Objective("rmse").cost(math.nan) == math.inf
