import os
import stat

import pytest

from cluster import auth
from cluster.errors import AccessError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home without a token, and nothing of the developer's own settings."""
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE", "RAY_USE_TLS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv(auth.OVERRIDE_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_variable_comes_before_the_files_as_with_ray(home, monkeypatch):
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").write_text("of-the-home\n")
    assert auth.find_token() == "of-the-home"
    (home / "given").write_text("of-the-path")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "~/given")
    assert auth.find_token() == "of-the-path"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "of-the-variable")
    assert auth.find_token() == "of-the-variable"


def test_without_a_token_there_is_none(home):
    assert auth.find_token() is None


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_token_path_that_leads_nowhere_is_one_clear_line(home, monkeypatch, content):
    path = home / "token"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
    with pytest.raises(AccessError, match="RAY_AUTH_TOKEN_PATH must name a file that holds"):
        auth.find_token()


def test_a_token_that_others_can_read_is_mended_and_that_is_said_once(home, monkeypatch, capsys):
    path = home / "token"
    path.write_text("secret")
    path.chmod(0o644)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
    for _ in range(2):
        assert auth.find_token() == "secret"
        assert mode(path) == 0o600
        path.chmod(0o640)
    said = capsys.readouterr().err
    assert said.count("could be read by other users") == 1
    assert "secret" not in said


def test_a_new_token_is_private_from_its_first_moment(home, monkeypatch):
    monkeypatch.setattr(os, "umask", lambda mask: mask)
    auth.make_token()
    path = home / ".ray" / "auth_token"
    assert mode(path) == 0o600
    token = auth.find_token()
    assert token is not None
    assert len(token) == 64
    auth.make_token()
    assert auth.find_token() == token
    assert [p.name for p in path.parent.iterdir()] == ["auth_token"]


def test_an_empty_token_file_is_filled(home):
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").touch()
    auth.make_token()
    assert auth.find_token()


def test_where_no_file_can_be_written_the_process_alone_knows_the_token(home, monkeypatch):
    monkeypatch.setenv("HOME", str(home / "file"))
    (home / "file").touch()
    monkeypatch.setenv("RAY_AUTH_TOKEN", "")
    auth.make_token()
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_this_machine_by_loopback(host):
    assert auth.is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "192.0.2.1", "0.0.0.0", "::", "no-such-host.invalid"])
def test_not_loopback(host):
    assert not auth.is_loopback(host)


def test_a_name_counts_by_what_it_resolves_to(monkeypatch):
    both = [(2, 1, 6, "", ("127.0.0.1", 0)), (2, 1, 6, "", ("10.0.0.1", 0))]
    monkeypatch.setattr(auth.socket, "getaddrinfo", lambda *_: both)
    assert not auth.is_loopback("sly.example")
    monkeypatch.setattr(auth.socket, "getaddrinfo", lambda *_: both[:1])
    assert auth.is_loopback("mine.example")


class TestWhoIsLetIn:
    AWAY, HERE = ("10.0.0.1:6379", "10.0.0.1"), ("127.0.0.1:6379", "127.0.0.1")

    def test_off_loopback_without_a_token(self):
        with pytest.raises(AccessError, match="must be reached with a token"):
            auth.needs_token(*self.AWAY, token=None, allow_open=False)
        auth.needs_token(*self.AWAY, token="t", allow_open=False)
        auth.needs_token(*self.HERE, token=None, allow_open=False)

    def test_an_open_cluster_off_loopback_even_with_a_token(self):
        with pytest.raises(AccessError, match=r"answers without one.*CVE-2023-48022"):
            auth.admit(*self.AWAY, token="t", is_open=True, allow_open=False)

    def test_an_open_cluster_on_loopback_is_the_users_own(self, capsys):
        auth.admit(*self.HERE, token=None, is_open=True, allow_open=False)
        assert capsys.readouterr().err == ""

    def test_a_closed_cluster_wants_a_token_wherever_it_is(self):
        with pytest.raises(AccessError, match="asks for a token, but there is none"):
            auth.admit(*self.HERE, token=None, is_open=False, allow_open=True)
        auth.admit(*self.AWAY, token="t", is_open=False, allow_open=False)

    @pytest.mark.parametrize("how", ["option", "variable"])
    def test_the_override_is_loud(self, monkeypatch, capsys, how):
        if how == "variable":
            monkeypatch.setenv(auth.OVERRIDE_VARIABLE, "1")
        auth.needs_token(*self.AWAY, token=None, allow_open=how == "option")
        auth.admit(*self.AWAY, token=None, is_open=True, allow_open=how == "option")
        assert "IS OPEN: whoever reaches it can run code" in capsys.readouterr().err


class TestTls:
    NAMES = ("RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY", "RAY_TLS_CA_CERT")

    def test_off(self):
        assert auth.tls_files() is None

    @pytest.mark.parametrize("broken", NAMES)
    def test_a_file_that_is_not_there_is_named(self, home, monkeypatch, broken):
        monkeypatch.setenv("RAY_USE_TLS", "1")
        for name in self.NAMES:
            (home / name).touch()
            monkeypatch.setenv(name, str(home / name))
        files = auth.tls_files()
        assert files is not None
        assert files.authority == home / "RAY_TLS_CA_CERT"
        (home / broken).unlink()
        with pytest.raises(AccessError, match=f"but {broken} is {home / broken}"):
            auth.tls_files()
        monkeypatch.delenv(broken)
        with pytest.raises(AccessError, match=f"but {broken} is not set"):
            auth.tls_files()
