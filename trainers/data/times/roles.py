"""Which of several columns is the date, the time of day, the year, …: by name, else by place."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

# What a column holds, by its name in small letters, without accents and what is no letter:
# English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Swedish, Japanese, Chinese.
_ROLES = {
    "year": "year years yr yyyy yy jahr annee an ano anno jaar rok ar 年",
    "month": "month mon mo mm mth mnth monat mois mes mese maand miesiac manad 月",
    "quarter": "quarter qtr quartal trimestre trim kwartaal kwartal kvartal",
    "day": "day dayofmonth dd dy mday tag jour dia giorno dag dzien 日",
    "dayofyear": "dayofyear doy yday julianday jday",
    "week": "week weekofyear isoweek woche kw semaine semana settimana vecka",
    "hour": "hour hours hr hrs hh stunde heure hora ora uur godzina timme 時 时",
    "minute": "minute minutes min minuten minuto minuti minuut minuta 分",
    "second": "second seconds sec secs ss sekunde sekunden seconde segundo secondo 秒",
}
_ROLE_OF = {name: role for role, names in _ROLES.items() for name in names.split()}
IN_ORDER = ("year", "month", "day", "hour", "minute", "second")
OF_DATE = ("year", "month", "quarter", "day", "dayofyear", "week")
_DAYS = {"day", "dayofyear", "week"}


def roles_of(names: Sequence[str], *, years: bool) -> tuple[dict[str, str], list[str]]:
    """Return `{role: column}` and the columns whose role was told by their place.

    Args:
        names: The columns, in the user's order.
        years: Whether the first one holds years, whatever its name.

    Returns:
        Fewer roles than columns where two columns have the same one.
    """
    told = [_role(name, names) for name in names]
    if not any(told) and len(names) > 2:
        return dict(zip(IN_ORDER, names, strict=False)), list(names)
    if "year" not in told:
        told[0] = "year" if years and not told[0] else "date"
    unknown = [place for place, role in enumerate(told) if not role]
    dated = {"date", *_DAYS} & {*told}
    for place in unknown:
        # Two that nobody can tell apart are both the time of day, which is refused.
        after = next(part for part in IN_ORDER if part not in told)
        told[place] = after if len(unknown) == 1 and not dated else "time"
    by_place = [names[place] for place in unknown if told[place] != "time"]
    return dict(zip(told, names, strict=True)), by_place


def _role(name: str, names: Sequence[str]) -> str:
    """What a column holds by its name; "" where that says nothing."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    role = _ROLE_OF.get("".join(sign for sign in plain if sign.isalpha()), "")
    # Buoys have MM for months and mm for minutes.
    return "minute" if name.strip() == "mm" and "MM" in names else role


def make_a_time(roles: dict[str, str]) -> bool:
    """Whether roles make a time together: a date, and no part left out above the smallest."""
    parts = {role for role in roles if role not in ("date", "time")}
    whole = "date" in roles or bool(parts & {"dayofyear", "week", "quarter"}) or _leads(parts)
    clock = _leads({"year", "month", "day", *parts}) and not ("time" in roles and "hour" in parts)
    return whole and clock and not ("date" in roles and parts & set(OF_DATE))


def _leads(parts: set[str]) -> bool:
    """Whether no larger part than the smallest of a plain time is left out."""
    return set(IN_ORDER[: len(parts & set(IN_ORDER))]) == parts & set(IN_ORDER)
