import socket

import pytest

from cluster import auth, dashboard
from cluster.dashboard import open_dashboard
from cluster.errors import AccessError, ConnectError, VersionError
from cluster.head import Versions
from cluster.jobs import check_joinable
from tests.cluster.jobs_server import JobsServer, serving


@pytest.fixture(autouse=True)
def _settings(tmp_path, monkeypatch):
    for name in ("RAY_AUTH_TOKEN_PATH", "RAY_USE_TLS", auth.OVERRIDE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_TOKEN", "right")
    monkeypatch.setattr(Versions, "ours", lambda: Versions("2.60.0", "3.11.7"))


@pytest.fixture
def _off_loopback(monkeypatch):
    """Every address counts as another machine's."""
    monkeypatch.setattr(auth, "is_loopback", lambda host: False)
    monkeypatch.setattr(dashboard, "is_loopback", lambda host: False)


def test_a_cluster_that_asks_for_our_token():
    server = JobsServer()
    with serving(server) as url:
        board = open_dashboard(url + "/")
    assert board.url == url
    assert not board.is_open
    assert board.versions == Versions("2.60.0", "3.11.7")
    assert server.asked[0] == ("/api/version", None)
    assert "right" not in repr(board)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:8265", "auto", "", "http://", "ray://127.0.0.1:10001",
        "http://127.0.0.1:99999", "http://127.0.0.1:1/ü", "http://127.0.0.1:1/a b",
        "http://user:pass-word@127.0.0.1:8265", "http://127.0.0.1:8265/?token=pass-word",
    ],
)  # fmt: skip
def test_a_malformed_address_is_one_clear_line_without_passwords(address):
    with pytest.raises(ConnectError, match="--address must be the cluster's Jobs server") as caught:
        open_dashboard(address)
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize("host", ["a..b", "x" * 70])
def test_a_host_that_can_be_none_is_one_clear_line(host, monkeypatch):
    with pytest.raises(ConnectError, match="must answer at --address"):
        open_dashboard(f"http://{host}:8265", allow_open=True)
    assert not auth.is_loopback(host)


def test_what_a_tunnel_hides_is_refused_before_anything_is_sent():
    server = JobsServer(token=None)
    with serving(server) as url:
        board = open_dashboard(url)
        check_joinable(board, allow_open=False)
        server.head = "10.0.0.5"
        with pytest.raises(AccessError, match=r"its head is 10\.0\.0\.5\) answers without one"):
            check_joinable(board, allow_open=False)
        check_joinable(board, allow_open=True)


def test_nobody_listens():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(ConnectError, match=f"must answer at --address {url}, but: .*refused"):
        open_dashboard(url)


def test_a_wrong_token(monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "wr0ng")
    with (
        serving(JobsServer()) as url,
        pytest.raises(AccessError, match="refuses the one in RAY_AUTH_TOKEN") as caught,
    ):
        open_dashboard(url)
    assert "wr0ng" not in str(caught.value)


def test_no_token_where_one_is_asked_for(monkeypatch):
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    with serving(JobsServer()) as url, pytest.raises(AccessError, match="asks for a token, but"):
        open_dashboard(url)


@pytest.mark.usefixtures("_off_loopback")
def test_off_loopback_nothing_is_sent_without_a_token(monkeypatch):
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    server = JobsServer()
    with serving(server) as url, pytest.raises(AccessError, match="must be reached with a token"):
        open_dashboard(url)
    assert server.asked == []


@pytest.mark.usefixtures("_off_loopback")
def test_an_open_cluster_off_loopback_gets_no_token_and_no_sweep(capsys):
    server = JobsServer(token=None)
    with serving(server) as url:
        with pytest.raises(AccessError, match=r"answers without one.*CVE-2023-48022"):
            open_dashboard(url)
        assert [sent for _, sent in server.asked] == [None]
        assert open_dashboard(url, allow_open=True).is_open
    assert {sent for _, sent in server.asked} == {None}
    assert "IS OPEN" in capsys.readouterr().err


def test_an_open_cluster_on_loopback_is_the_users_own(capsys):
    with serving(JobsServer(token=None)) as url:
        assert open_dashboard(url).is_open
    assert capsys.readouterr().err == ""


def test_the_token_follows_no_redirect():
    server, thief = JobsServer(), JobsServer(token=None)
    with serving(server) as url, serving(thief) as elsewhere:
        server.redirect = elsewhere + "/api/version"
        with pytest.raises(ConnectError, match=r"none \(status 302\)"):
            open_dashboard(url)
    assert thief.asked == []


def test_a_proxy_is_not_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(JobsServer()) as url:
        open_dashboard(url)


@pytest.mark.parametrize(
    ("server", "says"),
    [
        (JobsServer(ray="2.49.1"), "must run Ray 2.60, but .* runs Ray 2.49.1 on Python 3.11.7, "),
        (JobsServer(python="3.10.4"), "must run Python 3.11 or newer, but .* on Python 3.10.4, an"),
    ],
)
def test_another_version_is_named_with_ours(server, says):
    with (
        serving(server) as url,
        pytest.raises(VersionError, match=says + ".*this is Ray 2.60.0 on Python 3.11.7"),
    ):
        open_dashboard(url)


def test_a_patch_release_does_for_a_job_which_runs_there():
    with serving(JobsServer(ray="2.60.3", python="3.12.1")) as url:
        assert open_dashboard(url).versions.ray == "2.60.3"


@pytest.mark.parametrize("token", ["two words", "li\nne", "caf\u00e9"])
def test_what_can_not_be_a_token_is_refused_and_not_shown(monkeypatch, token):
    monkeypatch.setenv("RAY_AUTH_TOKEN", token)
    with serving(JobsServer()) as url, pytest.raises(AccessError, match="one word") as caught:
        open_dashboard(url)
    assert token not in str(caught.value)
