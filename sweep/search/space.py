"""The space that a sweep file describes, checked before anything is written.

`train` pins, `space.parameters` narrows, and a few hundred configurations are drawn at random and
held against the law of training, so that an impossible combination is found here and not by the
first trial that draws it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.config.data_options import PREFIX, drawable, drawable_point, is_data_option
from sweep.config.mistakes import unknown_key
from sweep.config.own_code import named_function, own_function
from sweep.config.sweep_config import SweepConfig
from sweep.errors import ConfigProblem
from sweep.search.data_dimensions import DataDimensions
from sweep.search.sampler import sampler_of
from trainers.config.losses import losses_for
from trainers.config.settings import field_names
from trainers.config.train_config import TrainConfig
from trainers.data.choices import check_searchable, searchable_options
from trainers.errors import ConfigError

if TYPE_CHECKING:
    from search_spaces.space import Space
    from trainers.data.contract import SequenceData

EXAMPLES = 200
STREAM_FORWARD_STEPS = 100  # k1 of a stream: state is carried over, so it must be cut somewhere


def sweep_space(config: SweepConfig, data: SequenceData | None = None) -> Space:
    """Return the checked space; a dimension that `train` fixes is pinned in it.

    Args:
        config: The sweep file.
        data: What it is to fit, where they are loaded.

    Raises:
        ConfigProblem: a name is unknown, a point lies outside, or a combination is impossible.
        DataError: an option of the data is unknown or can't be searched.
        SpaceError: the base is unknown or a dimension breaks a law.
    """
    from search_spaces import build_space

    section = config.space
    function = own_function("space.base", section.base, Path.cwd())
    space = build_space(section.base, drawable(section.parameters), function)
    space = _pinned(space, config)
    if _decodes(config, data):
        space = _without_segments(space, config)
    _check_names(config, space)
    for known in config.search.enqueue:
        space.validate_point(drawable_point(known))
    sampler_of(config.search.sampler, space, config.search.seed)  # raises where it can't walk it
    dimensions = DataDimensions.of(section.parameters)
    for seed in range(EXAMPLES):
        _check_example({**space.sample(seed), **config.train}, dimensions)
    return space


def _pinned(space: Space, config: SweepConfig) -> Space:
    """Pin what `train` fixes; a function's questions aren't known, so it gets all of them."""
    from search_spaces.space import SearchSpace

    if isinstance(space, SearchSpace):
        pins = {name: value for name, value in config.train.items() if name in space.dimensions}
    else:
        pins = config.train
    return space.narrowed(pins) if pins else space


def _decodes(config: SweepConfig, data: SequenceData | None) -> bool:
    """Tell whether every trial is an encoder-decoder."""
    if "architecture" in config.space.parameters:
        return bool(config.space.parameters["architecture"] == "encoder_decoder")
    default = {} if data is None else training_defaults(data)
    return {**default, **config.train}.get("architecture") == "encoder_decoder"


def _without_segments(space: Space, config: SweepConfig) -> Space:
    """Pin full BPTT, all that a decoder can have, where a base space alone asks for segments."""
    from search_spaces.space import SearchSpace

    name = "tbptt_forward_steps"
    named = name in config.space.parameters or name in config.train
    if named or not isinstance(space, SearchSpace) or name not in space.dimensions:
        return space
    return space.narrowed({name: None})


def training_defaults(data: SequenceData) -> dict[str, Any]:
    """Return the settings that follow from the data where the file leaves them open."""
    defaults: dict[str, Any] = {
        "loss": losses_for(data)[0],
        "readout": "last" if data.one_target else "every",
    }
    if data.categories:
        defaults["category_embeddings"] = data.category_embeddings
    if data.pairs:
        defaults["architecture"] = "encoder_decoder"
    if data.walk == "stream":
        defaults["tbptt_forward_steps"] = STREAM_FORWARD_STEPS
    return defaults


def _check_names(config: SweepConfig, space: Space) -> None:
    """A parameter is a training setting, one that the base asks for, or an option of the data."""
    from search_spaces import get_space
    from search_spaces.space import SearchSpace

    drawn = [n.removeprefix(PREFIX) for n in config.space.parameters if is_data_option(n)]
    own_source = named_function(config.data.source) is not None  # asked when it is loaded
    if drawn and not own_source:
        check_searchable(config.data.source, drawn)
    if not isinstance(space, SearchSpace):
        return  # a function may ask for what it likes; its answer is checked
    base = None if config.space.base is None else get_space(config.space.base)
    own = set(base.dimensions) if isinstance(base, SearchSpace) else set()
    for name in config.space.parameters:
        if name not in own | set(field_names()) and not is_data_option(name):
            options = () if own_source else searchable_options(config.data.source)
            known = {*own, *field_names(), *(PREFIX + option for option in options)}
            raise ConfigProblem(unknown_key(("space", "parameters", name), known))


def _check_example(example: dict[str, Any], dimensions: DataDimensions) -> None:
    try:
        dimensions.options(example)
        TrainConfig.from_mapping({n: v for n, v in example.items() if not is_data_option(n)})
    except ConfigError as error:
        raise ConfigProblem(
            f"every configuration of the space must be possible, but it can draw this: {error}"
        ) from error
