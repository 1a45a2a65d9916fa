"""Time as it is: instants, steps, calendars."""
