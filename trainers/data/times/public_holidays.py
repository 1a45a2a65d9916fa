"""Public holidays of a country, or of a part of it: an input that is known ahead."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.clocks import DAY
from trainers.errors import DataError

HOLIDAY_NAME = "public_holiday"


@dataclass(frozen=True)
class Holidays:
    """The public holidays of "DE", or of "DE-BY": a country by its ISO 3166 code, and a part of it.

    Raises:
        DataError: there is no such country or part in the `holidays` package.
    """

    place: str

    def __post_init__(self) -> None:
        country, _, part = self.place.partition("-")
        parts = _countries().get(country)
        if parts is None:
            raise DataError(
                f"data.holidays must be a country's code, as DE, or with a part of it, as DE-BY, "
                f"but got {self.place!r};{_near_countries(self.place)}"
            )
        if part and part not in parts:
            known = f"its parts are {', '.join(parts)}" if parts else "it has none"
            raise DataError(
                f"data.holidays names the part {part!r} that {country} does not have; "
                f"{_short(known)}; write data.holidays: {country} for all of it."
            )

    def features(self, local: Array) -> Array:
        """1.0 on a public holiday, 0.0 on other days: float64 `(rows,)`.

        `local` are nanoseconds since 1970 by the local clock.
        """
        import holidays

        days, rows = np.unique(local // DAY, return_inverse=True)
        dates = days.astype("datetime64[D]")
        years = sorted({int(year) + 1970 for year in dates.astype("datetime64[Y]").astype(int)})
        country, _, part = self.place.partition("-")
        free = holidays.country_holidays(country, subdiv=part or None, years=years, expand=False)
        return np.asarray([float(day in free) for day in dates.tolist()])[rows]

    def note(self, local: Array) -> str | None:
        """One line where years lie outside those that the package knows; None: none do."""
        import holidays

        country = self.place.partition("-")[0]
        known = holidays.country_holidays(country)
        years = (local.astype("datetime64[ns]").astype("datetime64[Y]").astype(int)) + 1970
        outside = years[(years < known.start_year) | (years > known.end_year)]
        if len(outside) == 0:
            return None
        return (
            f"data.holidays: {self.place} knows {known.start_year} to {known.end_year}; other "
            f"years, as {outside[0]}, have no holidays"
        )


def _countries() -> dict[str, list[str]]:
    import holidays

    return {code: list(parts) for code, parts in holidays.list_supported_countries().items()}


def _near_countries(place: str) -> str:
    """Name countries whose code or name is near."""
    from holidays.registry import COUNTRIES

    codes = {key.replace("_", " "): names[1] for key, names in COUNTRIES.items()}
    wanted = place.strip().casefold()
    country = wanted.partition("-")[0]
    if country.upper() in codes.values():
        return f" did you mean {country.upper()}{place.strip()[len(country) :].upper()}?"
    near = difflib.get_close_matches(wanted, codes, n=1, cutoff=0.6)
    if near:
        return f" did you mean {codes[near[0]]} ({near[0].title()})?"
    return " see the countries of the holidays package."


def _short(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[: text.rindex(",", 0, most)] + ", …"
