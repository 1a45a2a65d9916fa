"""Time as it is: instants, steps, calendars, as pure functions of a table's columns.

`instants.py` reads the time of each row: `columns.py` one column, whatever it holds (`texts.py`,
`day_order.py`, `formats.py`, `counts.py`), `joined.py` several (`roles.py`); `clocks.py` knows
zones. `order.py` checks the rows' order, `steps.py` measures their step, `table.py` and `grid.py`
sort, join and resample rows. `cycles.py`, `public_holidays.py`, `elapsed.py` make inputs of them.
"""
