"""Cells that name a unit, as loggers write them in a row of their own."""

from __future__ import annotations

import re

_BASES = (
    *("m", "s", "g", "K", "C", "F", "Hz", "Pa", "bar", "W", "Wh", "V", "A", "Ah", "J", "N", "Nm"),
    *("l", "L", "t", "VA", "VAr", "var", "lx", "lm", "mol", "Ohm", "Ω", "T", "H", "B", "cal", "eV"),
)
_PREFIXES = ("", "n", "u", "µ", "μ", "m", "c", "d", "h", "k", "K", "M", "G", "T")
_OTHERS = (
    *("%", "°", "°C", "°F", "‰", "€", "$", "£", "EUR", "USD", "GBP", "ct", "ppm", "ppb", "dB"),
    *("h", "min", "sec", "d", "day", "days", "hour", "hours", "a", "yr", "year", "ms", "rpm"),
    *("deg", "degC", "degF", "Deg", "Degrees", "Celsius", "rad", "rel", "pcs", "Stk", "count"),
    *("Percent", "percent", "TS", "RN", "Avg", "Smp", "Max", "Min", "Tot", "Std", "UTC", "CET"),
    *("mph", "kn", "kt", "knots", "kph", "psi", "inHg", "inch", "in", "ft", "mi", "gal", "lb"),
    *(
        "MEZ",
        "mmHg",
        "mmol",
        "lux",
        "sqm",
        "qm",
        "cbm",
        "Sv",
        "Bq",
        "none",
        "unitless",
        "date",
        "time",
    ),
)
_KNOWN = {prefix + base for prefix in _PREFIXES for base in _BASES} | set(_OTHERS)
_BETWEEN = re.compile(r"[\s/*·^.²³\d()\-⁻¹]+")
_BRACKETS = re.compile(r"[\[(<].*[\])>]")
_WIDTH = re.compile(r"\d{1,3}[sdn]")  # of fields, as USGS writes it in a row of its own
_NUMBER = re.compile(r"[\d.,+\-]*\d[\d.,+\-]*")
_PATTERN = re.compile(r"[ymdhsYMDHS:/.\- T]{4,}")


def is_unit(cell: str) -> bool:
    """Whether a cell names a unit: in brackets, of known ones, a date's pattern, or a dash."""
    text = cell.strip()
    if any(pattern.fullmatch(text) for pattern in (_BRACKETS, _PATTERN, _WIDTH)):
        return True
    if _NUMBER.fullmatch(text):
        return text == "1"
    return all(part in _KNOWN for part in _BETWEEN.split(text) if part)
