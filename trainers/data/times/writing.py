"""A time as a table or a request writes it: what `read_instants` reads, made up or continued."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from trainers.data.times.counts import EXCEL_START, UNIT_NS
from trainers.data.times.joined import has_clock
from trainers.data.times.options import TimeOptions
from trainers.data.times.roles import roles_of

_EPOCH = datetime(1970, 1, 1)
_PARTS = ("year", "month", "day", "hour", "minute", "second")

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:([T ])(\d\d:\d\d)(:\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")


def written_like(text: str, example: str) -> str:
    """Write a time, `2021-03-28 02:00:00+01:00`, with the parts that an example in ISO 8601 has.

    A part is left out only where the example lacks it and it says nothing, or where the example's
    clock is that of the text.
    """
    here, there = _ISO.fullmatch(text), _ISO.fullmatch(example)
    if here is None or there is None:
        return text
    date, _, minutes, seconds, offset = here.groups(default="")
    _, gap, _, with_seconds, with_offset = there.groups()
    if gap is None:
        return date if (minutes, seconds) == ("00:00", ":00") else text
    seconds = seconds if with_seconds or seconds != ":00" else ""
    offset = "Z" if with_offset == "Z" and offset == "+00:00" else offset if with_offset else ""
    return f"{date}{gap}{minutes}{seconds}{offset}"


def written(time: datetime, options: TimeOptions) -> tuple[Any, ...]:
    """Return one value a time column: numbers in their unit, texts by the format, or ISO 8601.

    A time in several columns is a date and a time of day, or parts of them by the columns' names.
    """
    columns, form = options.columns, options.format
    if len(columns) == 1:
        if options.unit is not None:
            since = (time - _EPOCH).total_seconds() * 1e9
            start = EXCEL_START if options.unit == "excel" else 0
            number = (since - start) / UNIT_NS[options.unit]
            return (int(number) if number.is_integer() else number,)
        return (time.strftime(form) if form else time.isoformat(timespec="seconds"),)
    if form is not None and has_clock(form) and len(form.split(" ")) == len(columns):
        return tuple(time.strftime(part) for part in form.split(" "))
    date = time.date().isoformat() if form is None else time.strftime(form)
    clock = time.time().isoformat(timespec="minutes")
    roles, _ = roles_of(columns, years=False)
    role_of = {name: role for role, name in roles.items()}
    parts = {
        "date": date,
        "dayofyear": time.timetuple().tm_yday,
        "week": time.isocalendar().week,
        "quarter": (time.month + 2) // 3,
        **{name: getattr(time, name) for name in _PARTS},
    }
    return tuple(parts.get(role_of[name], clock) for name in columns)
