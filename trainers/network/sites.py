"""Where a trial's draws happen: what is dropped there, and the number that tells it apart."""

from __future__ import annotations

from typing import NamedTuple

from trainers.config.train_config import Structure


class Site(NamedTuple):
    """A place where something is dropped: its number among the draws, and whose rate it takes."""

    number: int
    setting: str
    gap: int = 0


INPUT = Site(0, "input_dropout")
OUTPUT = Site(1, "output_dropout")
EMBEDDING = Site(1 << 16, "embedding_dropout")
DECODER_INPUT = Site(7 << 16, "input_dropout")
DECODER_EMBEDDING = Site(9 << 16, "embedding_dropout")
TEACHER = Site(8 << 16, "teacher_forcing")  # here a draw gives: the true answer


def between(layer: int) -> Site:
    """Return the gap after a layer."""
    return Site(2 + layer, "layer_dropout", layer)


def head(layer: int) -> Site:
    """Return the place after a hidden layer of the head."""
    return Site((2 << 16) + layer, "head_dropout")


def between_decoders(layer: int, layers: int) -> Site:
    """Return the gap after a layer of the decoder, whose layers count on from the encoder's."""
    return Site(between(layers + layer).number, "layer_dropout", layer)


def recurrent(layer: int, direction: int) -> Site:
    """Return where h enters the gates of a layer in one direction (0 forwards, 1 backwards)."""
    return Site((3 << 16) + 2 * layer + direction, "recurrent_dropout")


def recurrent_kernel(layer: int, direction: int) -> Site:
    """Return the recurrent weights of a layer in one direction."""
    return Site((4 << 16) + 2 * layer + direction, "weight_drop")


def zoneout(layer: int, direction: int) -> tuple[Site, Site]:
    """Return where the old h, and the old c, of a layer in one direction are kept."""
    number = 2 * layer + direction
    return Site((5 << 16) + number, "zoneout_hidden"), Site((6 << 16) + number, "zoneout_cell")


def sites_of(structure: Structure) -> list[Site]:
    """Return every place where trials of a structure may drop something."""
    count = len(structure.layer_sizes)
    layers, stacks = range(count), 1 + structure.decodes
    ways = range(1 + structure.bidirectional)
    places = [(layer, way) for layer in range(stacks * count) for way in ways]
    gaps = [between_decoders(layer, count) for layer in layers[:-1]]
    decoder = [DECODER_INPUT, DECODER_EMBEDDING, TEACHER, *gaps]
    inside = [recurrent, recurrent_kernel]
    return [
        INPUT,
        OUTPUT,
        EMBEDDING,
        *(between(layer) for layer in layers[:-1]),
        *(decoder if structure.decodes else ()),
        *(head(number) for number in range(len(structure.head_sizes))),
        *(site(*place) for place in places for site in inside),
        *(site for place in places for site in zoneout(*place)),
    ]
