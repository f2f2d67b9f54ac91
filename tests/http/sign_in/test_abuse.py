"""Attacks on the sign-in: guessed passwords, forged cookies, requests of foreign pages, forged addresses."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from sixpence.auth import tokens
from tests.auth.site import ADA, COOKIE, Site, running_site

pytestmark = pytest.mark.slow

STUDIO = "https://studio.example.com"
SIGN_IN = {"email": ADA["email"], "password": ADA["password"]}


@pytest.fixture
def secure_site(tmp_path: Path) -> Iterator[Site]:
    """A running site with an https base URL."""
    with running_site(tmp_path, STUDIO) as running:
        yield running


def test_concurrent_wrong_passwords_are_throttled(site: Site) -> None:
    """Of twenty concurrent guesses five are verified, and fifteen get a 429 with Retry-After."""
    site.signed_up()

    with ThreadPoolExecutor(20) as pool, httpx.Client(base_url=site.url, timeout=30) as client:
        guesses = [{"email": "ada@example.com", "password": f"wrong horse {n}"} for n in range(20)]
        answers = list(pool.map(lambda guess: client.post("/api/auth/sign-in/email", json=guess), guesses))

    throttled = [answer for answer in answers if answer.status_code == 429]
    assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 15}
    assert site.hashing.verified == 5
    assert {answer.headers["retry-after"] for answer in throttled} == {"900"}
    assert throttled[0].json() == {
        "message": "Too many failed sign-ins for this e-mail. Try again in 900 s.",
        "code": "TOO_MANY_REQUESTS",
    }


def test_sign_in_succeeds_after_retry_after(site: Site) -> None:
    """After the seconds in Retry-After, the right password signs in."""
    site.signed_up()
    client = site.client()
    for _ in range(5):
        client.post("/api/auth/sign-in/email", json={**SIGN_IN, "password": "wrong horse"})
    refused = client.post("/api/auth/sign-in/email", json=SIGN_IN)

    site.clock.advance(seconds=int(refused.headers["retry-after"]))
    accepted = client.post("/api/auth/sign-in/email", json=SIGN_IN)

    assert (refused.status_code, accepted.status_code) == (429, 200)


def test_full_hashing_queue_is_503(site: Site) -> None:
    """When the queue for hashing is full the answer is 503 with Retry-After."""
    places = [site.sign_in._passwords.queue_slot() for _ in range(66)]
    for place in places:
        place.__enter__()

    answer = site.client().post("/api/auth/sign-in/email", json=SIGN_IN)

    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"


def test_forged_cookies_find_no_session(site: Site) -> None:
    """A changed token, a changed or missing signature, another secret's, and malformed values find no session."""
    client = site.signed_up()
    valid = client.cookies[COOKIE]
    token, _, signature = valid.partition(".")
    swapped = token[:-1] + ("a" if token[-1] != "a" else "b")
    other = tokens.sign("another secret, of thirty-two letters!", token)
    forged = [f"{swapped}.{signature}", valid[:-4], token, f"{token}.", other, "", ".", "%", "%00", f"{valid}x"]
    forged += ["\xff\xfe", f"{token}.\xff", '"', "x" * 4000, valid.replace("%", "%25")]

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
def test_foreign_page_cannot_use_the_cookie(site: Site, path: str, origin: str | None, code: str) -> None:
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
def test_foreign_page_cannot_sign_its_visitor_in(site: Site, headers: dict[str, str]) -> None:
    """A browser's sign-in from a page that is not allowed is 403, also without a cookie."""
    site.signed_up()

    answer = httpx.post(f"{site.url}/api/auth/sign-in/email", json=SIGN_IN, headers=headers)

    assert answer.status_code == 403
    assert len(site.database.rows("auth_sessions")) == 1


def test_allowed_page_and_other_clients_may_sign_in(site: Site) -> None:
    """An allowed origin may use the cookie, and a client that is not a browser needs no Origin to sign in."""
    client = site.signed_up()

    program = httpx.post(f"{site.url}/api/auth/sign-in/email", json=SIGN_IN)
    page = client.post("/api/auth/sign-out", json={}, headers={"origin": "https://front.example.com"})

    assert (program.status_code, page.status_code) == (200, 200)


def test_check_origin_protects_other_routes(site: Site) -> None:
    """`check_origin` refuses a foreign POST with a cookie; it allows reads, and requests without cookies."""
    client = site.signed_up()
    foreign = {"origin": "https://evil.example"}

    answers = [
        client.post("/whoami", headers=foreign),
        client.post("/whoami"),
        client.get("/whoami", headers=foreign),
        httpx.post(f"{site.url}/whoami", headers=foreign),
    ]

    assert [answer.status_code for answer in answers] == [403, 200, 200, 200]


def test_https_cookies_are_secure(secure_site: Site) -> None:
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


def test_https_ignores_cookies_without_the_prefix(secure_site: Site) -> None:
    """On https a valid value under the name without the prefix finds no session."""
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
def test_client_address_is_the_nearest_untrusted_one(site: Site, forwarded: list[str], recorded: str) -> None:
    """X-Forwarded-For counts only as far as trusted proxies wrote it, so a client cannot forge its address."""
    headers = [("x-forwarded-for", text) for text in forwarded]

    httpx.post(f"{site.url}/api/auth/sign-up/email", json=ADA, headers=headers).raise_for_status()

    assert [row["ip_address"] for row in site.database.rows("auth_sessions")] == [recorded]
