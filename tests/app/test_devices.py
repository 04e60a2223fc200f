"""Devices are named as people would name them."""

import pytest

from app import devices

SEEN = {
    "Mozilla/5.0 (Linux; Android 14; SM-A155F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36": (
        "Android · Chrome"
    ),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile Line/14.9": (
        "iPhone · LINE"
    ),
    "Mozilla/5.0 (Linux; Android 13; wv) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36 Line/14.1.1 LINE/14.1": (
        "Android · LINE"
    ),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) Mobile/15E148 [FBAN/FBIOS;FBAV/400.0]": "iPhone · Facebook",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0": "Windows · Edge",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15": "Mac · Safari",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0": "Linux · Firefox",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 SamsungBrowser/25.0 Chrome/121.0 Mobile Safari/537.36": (
        "Android · Samsung Internet"
    ),
    "curl/8.5.0": "",
}


@pytest.mark.parametrize(("user_agent", "name"), SEEN.items())
def test_a_device_is_named_as_people_would(user_agent: str, name: str) -> None:
    assert devices.named(user_agent) == name


@pytest.mark.parametrize("name", sorted(set(SEEN.values())))
def test_a_name_that_was_kept_stays_as_it_is(name: str) -> None:
    assert devices.named(name) == name
