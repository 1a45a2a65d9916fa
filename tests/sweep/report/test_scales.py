import math

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sweep.report.scales import ChoiceScale, NumberScale, parameter_scale, value_scale


class TestNumberScale:
    def test_a_linear_axis_maps_its_ends_to_0_and_1(self):
        scale = NumberScale(10, 30)
        assert [scale.at(v) for v in (10, 15, 30)] == [0.0, 0.25, 1.0]

    def test_a_logarithmic_axis_gives_every_decade_the_same_room(self):
        scale = NumberScale(1e-4, 1.0, log=True)
        assert [round(scale.at(v), 6) for v in (1e-4, 1e-3, 1e-2, 1.0)] == [0, 0.25, 0.5, 1]

    def test_what_is_off_the_axis_lies_at_its_end(self):
        scale = NumberScale(0.1, 1.0, log=True)
        assert (scale.at(-5), scale.at(0), scale.at(99)) == (0.0, 0.0, 1.0)

    def test_one_value_alone_lies_in_the_middle(self):
        assert NumberScale(3, 3).at(3) == 0.5
        assert [t.text for t in NumberScale(3, 3).ticks] == ["3"]

    @pytest.mark.parametrize(
        ("low", "high", "texts"),
        [
            (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
            (0.11, 0.98, ["0.2", "0.4", "0.6", "0.8"]),
            (-3, 12, ["-2", "0", "2", "4", "6", "8", "10", "12"]),
            (1, 3, ["1", "1.5", "2", "2.5", "3"]),
        ],
    )
    def test_ticks_are_round_numbers(self, low, high, texts):
        found = [tick.text for tick in NumberScale(low, high).ticks]
        assert found == texts

    def test_whole_numbers_get_whole_ticks(self):
        assert [t.text for t in NumberScale(1, 3, whole=True).ticks] == ["1", "2", "3"]

    def test_ticks_of_a_logarithmic_axis(self):
        assert [t.text for t in NumberScale(0.001, 0.1, log=True).ticks] == [
            "0.001", "0.01", "0.1",
        ]  # fmt: skip


class TestParameterScale:
    def test_a_distribution_decides(self):
        scale = parameter_scale([0.01], FloatDistribution(1e-4, 1.0, log=True))
        assert scale == NumberScale(1e-4, 1.0, log=True)
        assert parameter_scale([16], IntDistribution(8, 64)) == NumberScale(8, 64, whole=True)
        choices = CategoricalDistribution(["lstm", "gru"])
        assert parameter_scale(["gru"], choices) == ChoiceScale(("lstm", "gru"))

    def test_without_one_wide_positive_numbers_are_logarithmic(self):
        assert parameter_scale([1e-4, 1e-2]).log
        assert not parameter_scale([1.0, 2.0]).log

    def test_mixed_values_are_choices_and_1_is_not_true(self):
        assert parameter_scale([None, 16, "full", 16]).choices == (None, 16, "full")
        assert parameter_scale([1, True, "x"]).choices == (1, True, "x")
        assert [t.text for t in parameter_scale([None, True]).ticks] == ["null", "true"]


class TestValueScale:
    def test_good_values_are_never_cut(self):
        values = [0.1, 0.2, 0.3, 0.4, 0.5, 1e9]
        scale = value_scale(values, "minimize")
        assert scale.low < 0.1
        assert scale.at(1e9) == 1.0
        assert scale.high < 1.0
        flipped = value_scale([-v for v in values], "maximize")
        assert flipped.high > -0.1
        assert flipped.at(-1e9) == 0.0

    def test_not_finite_values_are_left_out(self):
        assert value_scale([1.0, 2.0, math.nan, math.inf]).high < 3
        assert value_scale([]) == NumberScale(0.0, 1.0)

    def test_equal_values_lie_in_the_middle(self):
        assert value_scale([0.5, 0.5], "maximize").at(0.5) == 0.5
