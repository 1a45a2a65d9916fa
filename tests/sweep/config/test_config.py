import pytest

from sweep.config.identity import difference, identity
from sweep.config.sweep_config import (
    SweepConfig,
    default_objectives,
    validate,
)
from sweep.errors import ConfigProblem

SMALLEST = {"name": "s", "data": {"source": "digits"}}


def refused(values: dict) -> str:
    with pytest.raises(ConfigProblem) as caught:
        validate(values)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_(section: str, **values: object) -> dict:
    return {**SMALLEST, section: values}


class TestDefaults:
    def test_a_name_and_a_source_are_enough(self):
        config = validate(SMALLEST)
        assert config.space.base == "recurrent"
        assert config.budget.trials == 16
        assert config.search.objectives is None
        assert config.run.workers == "auto"

    def test_a_configuration_survives_json(self):
        config = validate(
            SMALLEST
            | {
                "search": {"objectives": [{"metric": "accuracy"}], "enqueue": [{"cell": "gru"}]},
                "run": {"workers": 3},
            }
        )
        assert SweepConfig.model_validate(config.model_dump(mode="json")) == config

    def test_an_objective_takes_its_metrics_natural_direction(self):
        config = validate(with_("search", objectives=[{"metric": "r2"}]))
        assert config.search.objectives[0].direction == "maximize"
        assert default_objectives("classification")[0].metric == "accuracy"
        assert default_objectives("regression")[0].direction == "minimize"

    def test_unknown_data_keys_are_the_sources_options(self):
        config = validate(with_("data", source="csv", target="y", input_steps=12))
        assert config.data.options == {"target": "y", "input_steps": 12}


class TestRefusals:
    @pytest.mark.parametrize(
        ("values", "says"),
        [
            (SMALLEST | {"serach": {}}, "serach is not a known key; did you mean search?"),
            (with_("search", smapler="tpe"), "did you mean search.sampler?"),
            (SMALLEST | {"trials": 3}, "trials is not a known key; did you mean budget.trials?"),
            (with_("search", startup_trials=3), "did you mean search.pruning.startup_trials?"),
            (with_("train", hidden=3), "train.hidden is not a known key"),
            (with_("search", pruning={"rul": "median"}), "did you mean search.pruning.rule?"),
            (
                with_("search", objectives=[{"metrik": "rmse"}]),
                "search.objectives.0.metrik is not a known key; did you mean "
                "search.objectives.0.metric?",
            ),
        ],
    )
    def test_an_unknown_key_names_the_nearest_valid_one(self, values, says):
        assert says in refused(values)

    @pytest.mark.parametrize(
        ("values", "says"),
        [
            (with_("search", seed="x"), "search.seed must be a whole number, but got 'x'."),
            (with_("search", seed=True), "search.seed must be a whole number, but got True."),
            (with_("search", seed=1.5), "search.seed must be a whole number, but got 1.5."),
            (with_("budget", trials=0), "budget.trials must be >= 1, but got 0."),
            (with_("budget", hours=0), "budget.hours must be > 0, but got 0."),
            (with_("budget", hours=float("nan")), "budget.hours must be a finite number"),
            (with_("run", workers=0), "run.workers must be auto or a whole number >= 1, but got 0"),
            (with_("tracking", enabled="yes"), "tracking.enabled must be true or false"),
            (SMALLEST | {"search": 3}, "search must be a section (key: value), but got 3."),
            (with_("search", enqueue={"a": 1}), "search.enqueue must be a list, but got {'a': 1}."),
            ({"name": "s"}, "data must be given, but the file does not have it."),
            (with_("data", path="x"), "data.source must be given"),
            (SMALLEST | {"name": "a/b"}, "name must be made of letters, digits, dots"),
            (SMALLEST | {"name": ".."}, "name must not begin with a dot"),
            (SMALLEST | {"name": ""}, "name must be made of letters"),
            (SMALLEST | {"name": 12}, "name must be text, but got 12."),
        ],
    )
    def test_a_wrong_value_is_named_with_what_would_be_right(self, values, says):
        assert says in refused(values)

    def test_a_wrong_choice_lists_the_choices(self):
        text = refused(with_("search", sampler="best"))
        assert text == ("search.sampler must be one of tpe, gp, random, grid, qmc, but got 'best'.")

    def test_several_findings_are_counted(self):
        text = refused(with_("search", seed="x", sampler="best"))
        assert text.endswith("(1 more to mend after this)")

    @pytest.mark.parametrize("rule", ["median", "halving"])
    def test_pruning_with_several_objectives(self, rule):
        objectives = [{"metric": "rmse"}, {"metric": "parameters"}]
        text = refused(with_("search", objectives=objectives, pruning={"rule": rule}))
        assert text.startswith("pruning needs a single objective")

    def test_hours_with_reproducible_order(self):
        text = refused(
            SMALLEST | {"run": {"order": "reproducible"}, "budget": {"trials": 4, "hours": 1.5}}
        )
        assert "budget.hours must be null, but got 1.5" in text

    def test_an_empty_space(self):
        assert "at least one parameter" in refused(with_("space", base=None))

    def test_a_constraint_without_a_bound(self):
        text = refused(with_("search", constraints=[{"metric": "parameters"}]))
        assert "needs min or max" in text


class TestTrainingSettings:
    @pytest.mark.parametrize(
        ("section", "values", "says"),
        [
            ("train", {"layer_dropout": 1.2}, "train.layer_dropout: `0 <= layer_dropout < 1`"),
            ("train", {"tbptt_forward_steps": 0}, "train.tbptt_forward_steps: "),
            (
                "train",
                {"hidden_size": "32"},
                "train.hidden_size: hidden_size must be a whole number",
            ),
            ("train", {"cell": "ltsm"}, "train.cell: cell must be one of"),
            (
                "train",
                {"bidirectional": True, "tbptt_forward_steps": 8},
                "train: a bidirectional network can't carry state",
            ),
            ("train", {"nesterov": True, "momentum": 0.0}, "train: nesterov"),
            (
                "space",
                {"parameters": {"output_dropout": {"low": 0.0, "high": 1.2}}},
                "space.parameters.output_dropout: ",
            ),
            ("space", {"parameters": {"cell": ["gru", "elman"]}}, "space.parameters.cell: "),
            ("space", {"parameters": {"hidden_size": 0}}, "space.parameters.hidden_size: "),
            ("search", {"enqueue": [{"hidden_size": -1}]}, "search.enqueue.0.hidden_size: "),
        ],
    )
    def test_the_law_of_training_holds_before_anything_is_written(self, section, values, says):
        assert refused(with_(section, **values)).startswith(says)

    def test_values_fixed_in_two_sections_are_checked_together(self):
        text = refused(
            SMALLEST
            | {
                "train": {"bidirectional": True},
                "space": {"parameters": {"tbptt_forward_steps": 8}},
            }
        )
        assert "can't carry state" in text

    def test_a_setting_whose_partner_is_drawn_is_left_to_the_space(self):
        validate(
            SMALLEST
            | {"train": {"forget_bias": 1.0}, "space": {"parameters": {"cell": ["gru", "lstm"]}}}
        )
        text = refused(SMALLEST | {"train": {"forget_bias": 1.0, "cell": "gru"}})
        assert "forget_bias needs a cell with a forget gate" in text

    @pytest.mark.parametrize(
        ("fixed", "drawn"),
        [
            ({"chrono_time_steps": 50}, {"cell": ["rnn_tanh", "gru"]}),
            ({"chrono_time_steps": 50, "cell": "lstm"}, {"forget_bias": [None, 1.0]}),
            ({"zoneout_cell": 0.1}, {"cell": ["gru", "lstm_layernorm"]}),
            ({"head_l2": 1e-4}, {"head_sizes": [[], [16]]}),
            ({"head_dropout": 0.2}, {"head_sizes": [[16], [16, 8]]}),
            ({"embedding_dropout": 0.1}, {"embedding_size": {"low": 8, "high": 64}}),
            ({"lr_decay": "plateau"}, {"lr_decay_rate": {"low": 0.1, "high": 1.0}}),
            ({"lr_decay_rate": 1.0}, {"lr_decay": ["constant", "plateau"]}),
            ({"clip_value": 1.0}, {"clip_norm": [None, 1.0]}),
            ({"nesterov": True}, {"momentum": {"low": 0.0, "high": 0.9}}),
            ({"tbptt_backward_steps": 8}, {"tbptt_forward_steps": [None, 16]}),
            ({"hidden_size": [16, 8]}, {"num_layers": {"low": 1, "high": 3}}),
        ],
    )
    @pytest.mark.parametrize("base", ["recurrent", None])
    def test_a_fixed_setting_may_go_with_some_of_its_partners_values(self, fixed, drawn, base):
        values = SMALLEST | {"train": fixed, "space": {"base": base, "parameters": drawn}}
        config = validate(values)
        assert (config.train, config.space.parameters) == (fixed, drawn)

    @pytest.mark.parametrize(
        ("fixed", "drawn", "says"),
        [
            ({"chrono_time_steps": 50}, {"cell": ["rnn_tanh", "rnn_relu"]}, "a cell with gates"),
            ({"chrono_time_steps": 50, "cell": "gru"}, {"forget_bias": [1.0]}, "forget_bias"),
            ({"zoneout_cell": 0.1}, {"cell": ["gru", "rnn_tanh"]}, "a cell with c"),
            ({"head_sizes": []}, {"head_l2": {"low": 1e-5, "high": 1e-3}}, "head_l2 acts on"),
            ({"embedding_dropout": 0.1}, {"embedding_size": [None]}, "needs an embedding"),
            ({"lr_decay": "plateau"}, {"lr_decay_rate": [1.0]}, "lr_decay_rate < 1"),
            ({"clip_value": 1.0}, {"clip_norm": {"low": 0.1, "high": 1.0}}, "clipped in one way"),
            ({"bidirectional": True}, {"tbptt_forward_steps": [8, 16]}, "can't carry state"),
            ({"hidden_size": [16, 8]}, {"num_layers": [1, 3]}, "list of num_layers"),
        ],
    )
    @pytest.mark.parametrize("base", ["recurrent", None])
    def test_a_fixed_setting_that_goes_with_no_value_of_its_partner_is_refused(
        self, fixed, drawn, says, base
    ):
        values = {"train": fixed, "space": {"base": base, "parameters": drawn}}
        assert says in refused(SMALLEST | values)

    @pytest.mark.parametrize(
        "fixed",
        [
            {"zoneout_cell": 0.1, "cell": "gru"},
            {"chrono_time_steps": 50, "cell": "rnn_tanh"},
            {"clip_value": 1.0, "clip_norm": 1.0},
        ],
    )
    def test_fixed_partners_exclude_each_other_whatever_a_base_draws(self, fixed):
        assert refused(SMALLEST | {"train": fixed}).startswith("train: ")

    def test_a_partner_that_nothing_draws_has_its_default(self):
        values = {"train": {"embedding_dropout": 0.1}}
        validate(SMALLEST | values)
        alone = {"space": {"base": None, "parameters": {"cell": ["gru", "lstm"]}}}
        assert "needs an embedding" in refused(SMALLEST | values | alone)

    def test_a_setting_may_stand_in_one_place_only(self):
        text = refused(
            SMALLEST | {"train": {"cell": "gru"}, "space": {"parameters": {"cell": ["lstm"]}}}
        )
        assert "cell stands in train and in space.parameters" in text


class TestIdentity:
    def test_a_resume_may_change_trials_time_workers_address_and_tracking_only(self):
        old = validate(SMALLEST)
        new = validate(
            SMALLEST
            | {
                "budget": {"trials": 99, "hours": 2.0},
                "run": {"workers": 7, "address": "ray://head:10001"},
                "tracking": {"enabled": False},
            }
        )
        assert identity(old) == identity(new)
        assert identity(old.model_dump(mode="json")) == identity(new)

    def test_a_difference_reads_old_to_new(self):
        old = validate(SMALLEST | {"train": {"hidden_size": 8}})
        new = validate(with_("search", seed=1) | {"data": {"source": "digits", "scale": 5}})
        assert difference(identity(old), identity(new)) == [
            "train.hidden_size: 8 → (not set)",
            "search.seed: 0 → 1",
            "data.scale: (not set) → 5",
        ]


def test_a_password_in_the_trackers_address_is_refused_without_being_shown():
    uri = "postgresql://me:s3cret@db/mlflow"
    with pytest.raises(ConfigProblem, match="must not hold a password") as caught:
        validate({"name": "s", "data": {"source": "digits"}, "tracking": {"uri": uri}})
    assert "s3cret" not in str(caught.value)
