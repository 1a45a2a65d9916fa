"""What may be shown of addresses, and which settings hold a password."""

import pytest

from sweep.config.sweep_config import validate
from sweep.errors import ConfigProblem
from sweep.words.redaction import holds_password, masked, password_key, shown

HOLDING = {
    "postgresql://me:hush@db/x": "postgresql://***@db/x",
    "postgresql://db/x?user=me&password=hush": "postgresql://db/x?user=me&password=***",
    "postgresql://db/x?sslpassword=hush&user=me": "postgresql://db/x?sslpassword=***&user=me",
    "http://hush@tracker:5000": "http://***@tracker:5000",
    "https://tracker/?access_token=hush": "https://tracker/?access_token=***",
    "http://me:hu/sh@tracker": "http://***@tracker",
    "http://me:hush?x@tracker/y": "http://***@tracker/y",
    "http://me:hu@sh@tracker/y": "http://***@tracker/y",
    "postgresql://me:12#34@db/x": "postgresql://***@db/x",
    "postgresql://me:1234/5@db/x": "postgresql://***@db/x",
    "https://blobs/x?sv=1&sig=hush": "https://blobs/x?sv=1&sig=***",
    "https://s3/x?X-Amz-Signature=hush": "https://s3/x?X-Amz-Signature=***",
    "it is at mysql+pymysql://me:hush@db/x, it says": "it is at mysql+pymysql://***@db/x, it says",
}
PLAIN = [
    "postgresql://me@db/x",
    "http://tracker:5000/a@b",
    "http://[::1]:5000/a@b",
    "http://[::1]/a@b",
    "sqlite:////home/me@work/x.db",
    "s3://bucket/a:b@c",
    "postgresql://db:5432/x?user=me@work",
    "https://tracker/?design=1",
    "https://tracker/?tokens",
    "data//x.csv",
    "",
]


@pytest.mark.parametrize(("text", "bare"), HOLDING.items())
def test_an_address_is_shown_without_what_it_keeps_secret(text, bare):
    assert holds_password(text)
    assert shown(text) == bare
    assert masked({"a": [text]}) == {"a": [bare]}
    assert password_key({"tracking": {"uri": text}}) == "tracking.uri"


@pytest.mark.parametrize("text", PLAIN)
def test_an_address_without_secrets_is_none(text):
    assert not holds_password(text)
    assert shown(text) == text.replace("me@db", "***@db")
    assert password_key({"a": text}) is None


@pytest.mark.parametrize("text", [text for text in HOLDING if " " not in text])
def test_a_sweep_file_holds_no_password(text):
    with pytest.raises(ConfigProblem, match=r"tracking\.uri must not hold a password") as caught:
        validate({"name": "s", "data": {"source": "digits"}, "tracking": {"uri": text}})
    assert "hush" not in str(caught.value)
    assert "hu/sh" not in str(caught.value)


def test_a_value_is_masked_by_its_key():
    values = {"api_key": "hush", "max_tokens": 7, "inner": {"password": "hush"}}
    assert masked(values) == {"api_key": "***", "max_tokens": 7, "inner": {"password": "***"}}
    assert password_key({"inner": {"password": "hush"}}) == "inner.password"
