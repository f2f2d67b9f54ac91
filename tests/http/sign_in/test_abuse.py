"""What strangers send to the sign-in: forged cookies, foreign pages, guessed passwords."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from sixpence.auth import tokens
from tests.auth.site import ADA, COOKIE, Site, running_site

STUDIO = "https://studio.example.com"
SIGN_IN = {"email": ADA["email"], "password": ADA["password"]}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A running site with nobody signed up."""
    with running_site(tmp_path) as running:
        yield running


@pytest.fixture
def secure_site(tmp_path: Path) -> Iterator[Site]:
    """A running site that browsers reach by https."""
    with running_site(tmp_path, STUDIO) as running:
        yield running


def test_twenty_wrong_passwords_at_once(site: Site) -> None:
    """Of twenty parallel guesses five are verified and fifteen are told when to come back."""
    site.signed_up()

    with ThreadPoolExecutor(20) as pool, httpx.Client(base_url=site.url, timeout=30) as client:
        guesses = [{"email": "ada@example.com", "password": f"wrong horse {n}"} for n in range(20)]
        answers = list(pool.map(lambda guess: client.post("/api/auth/sign-in/email", json=guess), guesses))

    late = [answer for answer in answers if answer.status_code == 429]
    assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 15}
    assert site.hashing.verified == 5
    assert {answer.headers["retry-after"] for answer in late} == {"900"}
    assert late[0].json() == {
        "message": "Too many failed sign-ins for this e-mail. Try again in 900 s.",
        "code": "TOO_MANY_REQUESTS",
    }


def test_waiting_helps(site: Site) -> None:
    """After the time that Retry-After names, the right password signs in."""
    site.signed_up()
    client = site.client()
    for _ in range(5):
        client.post("/api/auth/sign-in/email", json={**SIGN_IN, "password": "wrong horse"})
    refused = client.post("/api/auth/sign-in/email", json=SIGN_IN)

    site.clock.advance(seconds=int(refused.headers["retry-after"]))
    accepted = client.post("/api/auth/sign-in/email", json=SIGN_IN)

    assert (refused.status_code, accepted.status_code) == (429, 200)


def test_too_many_at_once(site: Site) -> None:
    """When the queue for hashing is full the answer is 503 with Retry-After."""
    places = [site.sign_in._passwords.queue_slot() for _ in range(66)]
    for place in places:
        place.__enter__()

    answer = site.client().post("/api/auth/sign-in/email", json=SIGN_IN)

    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"


def test_forged_cookies_are_nobodys(site: Site) -> None:
    """A changed token, a changed signature, another secret's, none, a quoted and a broken value find nobody."""
    client = site.signed_up()
    genuine = client.cookies[COOKIE]
    token, _, signature = genuine.partition(".")
    swapped = token[:-1] + ("a" if token[-1] != "a" else "b")
    other = tokens.sign("another secret, of thirty-two letters!", token)
    forged = [f"{swapped}.{signature}", genuine[:-4], token, f"{token}.", other, "", ".", "%", "%00", f"{genuine}x"]
    forged += ["\xff\xfe", f"{token}.\xff", '"', "x" * 4000, genuine.replace("%", "%25")]

    answers = [
        httpx.get(f"{site.url}/api/auth/get-session", headers={b"cookie": f"{COOKIE}={value}".encode("latin-1")})
        for value in forged
    ]

    assert {(answer.status_code, answer.text) for answer in answers} == {(200, "null")}
    assert client.get("/api/auth/get-session").json()["user"]["email"] == "ada@example.com"


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        (None, "MISSING_OR_NULL_ORIGIN"),
        ("null", "MISSING_OR_NULL_ORIGIN"),
        ("", "MISSING_OR_NULL_ORIGIN"),
        ("https://evil.example", "INVALID_ORIGIN"),
        ("http://front.example.com", "INVALID_ORIGIN"),
        ("https://front.example.com.evil.example", "INVALID_ORIGIN"),
        ("https://front.example.com/", "INVALID_ORIGIN"),
    ],
)
@pytest.mark.parametrize("path", ["sign-out", "sign-in/email", "sign-up/email"])
def test_a_foreign_page_cannot_use_the_cookie(site: Site, path: str, origin: str | None, code: str) -> None:
    """A POST with a cookie and without an allowed Origin is 403 and changes nothing."""
    client = site.signed_up()
    del client.headers["origin"]
    before = [site.database.rows(table) for table in ("auth_users", "auth_sessions", "auth_sign_ins")]

    answer = client.post(
        f"/api/auth/{path}",
        json={**ADA, "email": "eve@example.com"},
        headers={} if origin is None else {"origin": origin},
    )

    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert "set-cookie" not in answer.headers
    assert [site.database.rows(table) for table in ("auth_users", "auth_sessions", "auth_sign_ins")] == before


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-mode": "navigate"}],
)
def test_a_foreign_page_cannot_sign_its_visitor_in(site: Site, headers: dict[str, str]) -> None:
    """Without a cookie too, what a browser sends from a page that is not allowed is 403."""
    site.signed_up()

    answer = httpx.post(f"{site.url}/api/auth/sign-in/email", json=SIGN_IN, headers=headers)

    assert answer.status_code == 403
    assert len(site.database.rows("auth_sessions")) == 1


def test_an_allowed_page_and_a_program_can(site: Site) -> None:
    """An allowed other origin may use the cookie, and what is no browser needs no Origin to sign in."""
    client = site.signed_up()

    program = httpx.post(f"{site.url}/api/auth/sign-in/email", json=SIGN_IN)
    page = client.post("/api/auth/sign-out", json={}, headers={"origin": "https://front.example.com"})

    assert (program.status_code, page.status_code) == (200, 200)


def test_other_routes_check_the_origin_alike(site: Site) -> None:
    """`check_origin` refuses a foreign POST with a cookie, and lets reads and requests without cookies through."""
    client = site.signed_up()
    foreign = {"origin": "https://evil.example"}

    answers = [
        client.post("/whoami", headers=foreign),
        client.post("/whoami"),
        client.get("/whoami", headers=foreign),
        httpx.post(f"{site.url}/whoami", headers=foreign),
    ]

    assert [answer.status_code for answer in answers] == [403, 200, 200, 200]


def test_on_https_the_cookie_is_secure(secure_site: Site) -> None:
    """On https the cookies have the prefix and Secure, when they are set and when they are cleared."""
    site = secure_site

    signed_up = site.client().post("/api/auth/sign-up/email", json={**ADA, "rememberMe": False})
    cookie = signed_up.headers.get_list("set-cookie")[0].partition(";")[0]
    signed_out = site.client(cookie=cookie).post("/api/auth/sign-out", json={})

    assert [text.partition(";")[2] for text in signed_up.headers.get_list("set-cookie")] == [
        " Path=/; HttpOnly; Secure; SameSite=Lax",
        " Path=/; HttpOnly; Secure; SameSite=Lax",
    ]
    assert [text.partition("=")[0] for text in signed_up.headers.get_list("set-cookie")] == [
        f"__Secure-{COOKIE}",
        "__Secure-better-auth.dont_remember",
    ]
    assert signed_out.headers.get_list("set-cookie") == [
        f"__Secure-{COOKIE}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
        "__Secure-better-auth.dont_remember=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
    ]


def test_on_https_the_plain_name_is_refused(secure_site: Site) -> None:
    """On https a genuine value under the name without the prefix finds nobody."""
    site = secure_site
    value = site.sign_in.sign(site.client().post("/api/auth/sign-up/email", json=ADA).json()["token"])

    answers = [
        site.client(cookie=f"{name}={value}").get("/api/auth/get-session") for name in (COOKIE, f"__Secure-{COOKIE}")
    ]

    assert answers[0].text == "null"
    assert answers[1].json()["user"]["email"] == "ada@example.com"


@pytest.mark.parametrize(
    ("forwarded", "recorded"),
    [
        ([], "127.0.0.1"),
        (["192.0.2.7"], "192.0.2.7"),
        (["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
        (["203.0.113.9, 192.0.2.7, 10.1.2.3"], "192.0.2.7"),
        (["192.0.2.7", "10.1.2.3"], "192.0.2.7"),
        (["192.0.2.7:4711"], "192.0.2.7"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["::ffff:192.0.2.7"], "192.0.2.7"),
        (["unknown"], "127.0.0.1"),
        (["192.0.2.7, <script>, 10.1.2.3"], "10.1.2.3"),
        (["10.1.2.3"], "10.1.2.3"),
        ([""], "127.0.0.1"),
        (["," * 1000], "127.0.0.1"),
    ],
)
def test_the_address_is_the_last_that_no_trusted_proxy_has(site: Site, forwarded: list[str], recorded: str) -> None:
    """A forwarded address counts as far as trusted proxies wrote the header, and no stranger can put one before."""
    headers = [("x-forwarded-for", text) for text in forwarded]

    httpx.post(f"{site.url}/api/auth/sign-up/email", json=ADA, headers=headers).raise_for_status()

    assert [row["ip_address"] for row in site.database.rows("auth_sessions")] == [recorded]
