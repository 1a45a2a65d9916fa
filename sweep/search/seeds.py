"""Seeds that depend on what they are for, and on nothing else."""

from __future__ import annotations

import hashlib


def ask_seed(seed: int, number: int, purpose: str = "ask") -> int:
    """Return a 32-bit seed that depends on the sweep's seed, the trial's number and a purpose."""
    text = f"{purpose}:{seed}:{number}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big")
