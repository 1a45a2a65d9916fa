"""The event log: its tables, where they lie, who may write, what an outage costs."""
