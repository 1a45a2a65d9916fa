"""The tables of an event log, the same in SQLite and PostgreSQL; `sweep` is the sweep's name."""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()
SWEEPS = sa.Table(
    "sweeps",
    METADATA,
    sa.Column("sweep", sa.String(200), primary_key=True),
    sa.Column("uid", sa.String(32), nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("config", sa.Text, nullable=False),
)
EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("sweep", sa.String(200), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("trial", sa.Integer),
    sa.Column("attempt", sa.Integer),
    sa.Column("epoch", sa.Integer),
    sa.Column("payload", sa.Text, nullable=False),
)
LEASES = sa.Table(
    "leases",
    METADATA,
    sa.Column("sweep", sa.String(200), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),
)
OFFSETS = sa.Table(
    "offsets",
    METADATA,
    sa.Column("sweep", sa.String(200), primary_key=True),
    sa.Column("sink", sa.String(200), primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False),
)
STOPS = sa.Table(
    "stops",
    METADATA,
    sa.Column("sweep", sa.String(200), primary_key=True),
    sa.Column("fence", sa.Integer, nullable=False),
)
PULSES = sa.Table(
    "pulses",
    METADATA,
    sa.Column("sweep", sa.String(200), primary_key=True),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
)


def create_tables(engine: sa.Engine) -> None:
    """Make the tables that are missing."""
    try:
        METADATA.create_all(engine)
    except sa.exc.DBAPIError:  # another process made one between our look and our try
        METADATA.create_all(engine)
