"""Where a log lives, without a server: URLs, passwords, the file `log.url`, patience."""

import importlib.util
import logging
import socket
import struct
import threading
from contextlib import suppress

import psycopg
import pytest
import sqlalchemy as sa

from sweep.__main__ import main
from sweep.errors import LogError
from sweep.log.engine import postgres_url, shown, without_password
from sweep.log.outage import LogAway, Patience, is_away
from sweep.log.places import create_log, has_log, open_log, sweeps_in
from tests.sweep.session_runs import config
from tests.sweep.sweep_factory import write_sweep

_ENCRYPTION = (struct.pack("!I", 80877103), struct.pack("!I", 80877104))  # TLS, GSS
URL = "postgresql://me:hush@db:5433/sweeps?sslmode=require&password=hush"


@pytest.fixture(autouse=True)
def _no_log_of_ours(monkeypatch):
    monkeypatch.delenv("RNN_SWEEP_LOG", raising=False)


def test_a_url_is_shown_without_its_password_wherever_it_stands():
    assert without_password(postgres_url(URL)) == "postgresql://me@db:5433/sweeps?sslmode=require"
    assert shown(URL) == "postgresql://me@db:5433/sweeps?sslmode=require"


@pytest.fixture
def curious():
    """A server that asks for the password in clear: its port, and what ends it and tells all."""
    heard = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with suppress(OSError):  # closed: the test is over
            while True:
                client, _ = listener.accept()
                with client:
                    while (said := client.recv(4096)) and said[4:8] in _ENCRYPTION:
                        client.sendall(b"N")
                    client.sendall(b"R" + struct.pack("!II", 8, 3))
                    heard.extend([said, client.recv(4096)])

    thread = threading.Thread(target=serve)
    thread.start()

    def end():
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        return b"".join(heard)

    yield listener.getsockname()[1], end
    listener.close()


def test_a_folder_from_a_stranger_gets_no_password(tmp_path, monkeypatch, capsys, curious):
    port, end = curious
    monkeypatch.setenv("PGPASSWORD", "hush-4711")
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "log.url").write_text(f"postgresql://me@127.0.0.1:{port}/db\n4711\n")
    assert main(["status", "evil", "--dir", str(tmp_path)]) == 2
    assert "authentication method requirement" in capsys.readouterr().err
    heard = end()
    assert b"user\x00me\x00" in heard
    assert b"hush-4711" not in heard


@pytest.mark.parametrize("url", ["mysql://me:hush@db/x", "postgresql//me:hush@db", "me:hush@db"])
def test_a_url_of_another_kind_is_refused_and_not_repeated(url):
    with pytest.raises(LogError, match="must read postgresql://USER@HOST/DATABASE") as caught:
        postgres_url(url)
    assert "hush" not in str(caught.value)


def test_a_missing_psycopg_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RNN_SWEEP_LOG", URL)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["run", "smoke", "--dir", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said == "error: a log on PostgreSQL needs psycopg; pip install 'rnn-sweep[postgres]'\n"


def test_sweeps_are_found_by_either_kind_of_log(tmp_path):
    write_sweep(tmp_path, name="here")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "log.url").write_text("postgresql://me@db/sweeps\n4711\n")
    (tmp_path / "none").mkdir()
    assert sweeps_in(tmp_path) == ["here", "there"]
    assert [has_log(tmp_path / name) for name in ("here", "there", "none")] == [True, True, False]


def test_a_torn_pointer_is_one_line(tmp_path):
    (tmp_path / "log.url").write_text("postgresql://me@db/sweeps\n")
    with pytest.raises(LogError, match="a database's URL and the sweep's uid, but holds 1"):
        open_log(tmp_path)


def test_a_sweep_keeps_the_log_it_began_with(tmp_path, monkeypatch):
    folder = write_sweep(tmp_path)
    monkeypatch.setenv("RNN_SWEEP_LOG", URL)
    log = create_log(folder, config())
    assert log.where == str(folder / "sweep.db")
    log.close()
    moved = config(run={"log": "postgresql://me@db/sweeps"})
    with pytest.raises(LogError, match="a sweep keeps the log it began with"):
        create_log(folder, moved)


def refused(error):
    return sa.exc.OperationalError("select 1", {}, error)


def test_what_passes_is_told_from_what_does_not():
    assert is_away(refused(psycopg.OperationalError("server closed the connection")))
    assert is_away(refused(psycopg.errors.AdminShutdown()))
    assert is_away(refused(psycopg.errors.ReadOnlySqlTransaction()))
    assert not is_away(refused(psycopg.errors.DiskFull()))
    assert not is_away(refused(OSError("of SQLite")))


class Clock:
    def __init__(self):
        self.now = 0.0

    def sleep(self, seconds):
        self.now += seconds


def impatient(seconds):
    clock = Clock()
    return clock, Patience("s", seconds, lambda: clock.now, clock.sleep)


def test_an_outage_is_waited_for_and_told_once(caplog):
    clock, patience = impatient(60.0)
    with caplog.at_level(logging.WARNING):

        def action():
            if clock.now < 30:
                raise LogAway("it restarts")
            return 7

        assert patience.call(action, "writable") == 7
        assert patience.call(action, "writable") == 7
    away, back = caplog.messages
    assert away.startswith("the log of s is away (it restarts); training goes on")
    assert back.startswith("the log of s is back")


def test_patience_ends(caplog):
    clock, patience = impatient(60.0)

    def action():
        raise LogAway("it is gone")

    with pytest.raises(LogError, match="log of sweep 's' must be writable, but: it is gone; mend"):
        patience.call(action, "writable")
    assert 60 <= clock.now < 64


def test_nobody_waits_for_what_can_be_asked_again():
    clock, patience = impatient(60.0)
    tries = []

    def action():
        tries.append(clock.now)
        raise LogAway("it restarts")

    assert patience.once(action, otherwise=False) is False
    assert patience.once(action, otherwise=False) is False
    assert (tries, clock.now) == ([0.0], 0.0)
    clock.now = 6.0
    assert patience.once(lambda: True, otherwise=False) is True


def test_a_connection_that_goes_in_mid_transaction_is_an_outage():
    clock, patience = impatient(60.0)

    def action():
        if clock.now < 1:
            raise sa.exc.PendingRollbackError("the transaction must be rolled back")
        return 7

    assert patience.once(action, otherwise=None) is None
    assert patience.call(action, "writable") == 7
