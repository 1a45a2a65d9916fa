"""What a line of the log may hold, and what it must: each mistake is one clear line."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import ClassVar

import pytest

from sweep.errors import LogError
from sweep.log import kinds
from sweep.log.event import Event, event_of, row_of
from sweep.log.event_log import EventLog
from tests.sweep.events_factory import reported, some

REPORTED = json.loads(row_of("s", 1, reported(0, 1, 0.5))["payload"])


def line(kind: str, payload: object, *, raw: bool = False) -> SimpleNamespace:
    text = payload if raw else json.dumps(payload)
    places = {"trial": 0, "attempt": 1, "epoch": 1}
    return SimpleNamespace(sweep="s", seq=7, time=1.5, kind=kind, payload=text, **places)


def refusal(row: SimpleNamespace) -> str:
    with pytest.raises(LogError) as caught:
        event_of(row)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"event 7 ({row.kind}) of sweep 's' ")
    return message


@pytest.mark.parametrize("what", [some(kind) for kind in (kinds.Opened, kinds.Reported)])
def test_an_event_comes_back_as_it_was_written(what):
    event = Event(what, 3, 2, 1, 5.5, 9)
    assert event_of(SimpleNamespace(**row_of("s", 9, event))) == event


def test_what_is_left_open_is_not_written():
    assert row_of("s", 1, Event(kinds.Lost("x"), 0, 1))["payload"] == '{"reason":"x"}'
    told = kinds.Lost("x", worker_died=False, suspects=0)
    text = '{"reason":"x","worker_died":false,"suspects":0}'
    assert row_of("s", 1, Event(told, 0, 1))["payload"] == text


def test_lines_of_the_first_logs_lack_what_was_invented_later():
    payload = json.loads(row_of("s", 1, Event(some(kinds.Opened)))["payload"])
    later = {"gpus": 0.0, "elastic": False, "commit": None, "machine": {}}
    assert {key: payload.pop(key) for key in later} == later
    assert payload["data"].pop("parts") == {}
    assert event_of(line("opened", payload)).what == some(kinds.Opened)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("[1]", "must be an object, but is [1]"),
        ("{", "Expecting property name"),
        ({**REPORTED, "train_seconds": "2"}, "'train_seconds' must be a number, but is '2'"),
        ({**REPORTED, "best_epoch": 1.5}, "'best_epoch' must be a whole number, but is 1.5"),
        ({**REPORTED, "best_epoch": True}, "'best_epoch' must be a whole number, but is True"),
        ({**REPORTED, "worker": None}, "'worker' must be text, but is None"),
        ({**REPORTED, "validation": 3}, "'validation' must be an object, but is 3"),
        ({**REPORTED, "train": {"loss": []}}, "'train.loss' must be a number, but is []"),
        ({}, "'train' is missing among []"),
    ],
)
def test_a_damaged_line_is_named(payload, said):
    message = refusal(line("reported", payload, raw=isinstance(payload, str)))
    assert said in message
    assert message.endswith("; restore the log from a copy.")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": None}, "'data' must be an object, but is None"),
        ({"data": {"name": "a", "task": "b"}}, "'data.digest' is missing among ['name', 'task']"),
        ({"elastic": 1}, "'elastic' must be true or false, but is 1"),
        ({"objectives": "rmse"}, "'objectives' must be a list, but is 'rmse'"),
        ({"objectives": [{"metric": 1}]}, "'objectives[0].metric' must be text, but is 1"),
    ],
)
def test_what_is_wrong_deep_inside_is_named(changes, said):
    payload = json.loads(row_of("s", 1, Event(some(kinds.Opened)))["payload"])
    assert said in refusal(line("opened", {**payload, **changes}))


def test_keys_that_nobody_knows_are_left_alone():
    assert event_of(line("reported", {**REPORTED, "mood": "good"})).what == reported(0, 1, 0.5).what


@pytest.mark.parametrize(
    ("kind", "payload", "said"),
    [
        ("teleported", {}, "must be of a kind that this release knows"),
        ("reported", {**REPORTED, "version": 2}, "must be of version 1 at most, but is of 2"),
        ("reported", {"version": "x"}, "must be of version 1 at most, but is of 'x'"),
    ],
)
def test_what_a_newer_release_wrote_is_refused(kind, payload, said):
    message = refusal(line(kind, payload))
    assert said in message
    assert message.endswith(": a newer release wrote it; update rnn-sweep.")


def test_a_version_above_1_is_written_and_read_back(monkeypatch):
    class Evaluated(kinds.Evaluated):
        version: ClassVar[int] = 2

    monkeypatch.setitem(kinds.KINDS, "evaluated", Evaluated)
    monkeypatch.setattr("sweep.log.event._NAMES", {Evaluated: "evaluated"})
    row = row_of("s", 7, Event(Evaluated({"rmse": 0.5}), 0))
    assert json.loads(row["payload"]) == {"test": {"rmse": 0.5}, "version": 2}
    assert event_of(SimpleNamespace(**row)).what == Evaluated({"rmse": 0.5})
    assert event_of(line("evaluated", {"test": {}})).what == Evaluated({})


def test_a_log_is_read_up_to_its_damaged_line(tmp_path):
    log = EventLog.open(tmp_path / "sweep.db", "s", create=True)
    events = [Event(some(kinds.Opened)), reported(0, 1, 0.5)]
    log.append(events, log.take_fence("me"))
    with log.engine.begin() as connection:
        connection.exec_driver_sql("update events set payload = 'x' where seq = 2")
    read = log.read()
    assert next(read) == replace(events[0], seq=1)
    with pytest.raises(LogError, match=r"event 2 \(reported\) of sweep 's' can't be read"):
        next(read)
    log.close()
