"""The first page as a person sees it, in a real browser, on a phone and on a desk."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.e2e.running import Up, eventually

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESK = (360, 740), (1280, 900)

# The city may still be starting when the first test of this file asks for it.
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(
    params=[(PHONE, "light"), (PHONE, "dark"), (DESK, "light")], ids=["phone", "phone-dark", "desk"]
)
def page(browser: Browser, city: Up, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page, with everything that it asked for and complained about."""
    (width, height), scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        java_script_enabled=True,
        locale="id-ID",
    )
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{city.state['url']}/")
    yield page
    page.screenshot(path=_evidence(request.node.name), full_page=True)
    context.close()
    assert [url for url in asked if not url.startswith(city.state["url"])] == []
    assert [text for text in complaints if "favicon" not in text] == []


def released(city: Up, window: str) -> Any:
    """The figures of everybody, asked without a key."""
    answer = httpx.get(f"{city.state['url']}/v1/ikm?window={window}", timeout=5, trust_env=False)
    assert answer.status_code == 200
    return answer.json()


def _evidence(name: str) -> Path:
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / "ikm-pages"
    folder.mkdir(exist_ok=True)
    return folder / f"{name}.png"


def test_the_page_shows_every_opd_as_it_was_released(page: Page, city: Up) -> None:
    page.goto(f"{city.state['url']}/?window=all")
    index = released(city, "all")
    rows = page.get_by_role("table").get_by_role("row")
    assert page.get_by_role("heading", level=1).inner_text() == "Indeks Kepuasan Masyarakat"
    assert rows.count() == len(index["opd"]) + 1
    for opd in index["opd"]:
        row = rows.filter(has_text=opd["name"]).first.inner_text()
        if opd["ikm"] is not None:
            assert f"{opd['ikm']:.2f}".replace(".", ",") in row
            assert f"{opd['mutu']} {opd['kinerja']}" in row
            assert "WIB" in row
            assert str(opd["respondents"]) in row.replace(".", "")
        else:
            assert "Belum dapat ditampilkan" in row
            assert "—" in row
    main = page.get_by_role("main").inner_text()
    assert ("semua responden bersama-sama" in main) == (index["instansi"]["ikm"] is not None)
    assert "dirilis bertahap" in main


def test_it_fits_its_width_and_letters_can_be_read(page: Page) -> None:
    width, inner = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= inner
    assert page.evaluate(_CONTRAST) >= 4.5
    small = page.evaluate(
        "[...document.querySelectorAll('nav a')].filter(a => a.offsetHeight < 24).length"
    )
    assert small == 0


def test_a_window_is_chosen_by_a_link(page: Page, city: Up) -> None:
    assert page.locator("[aria-current=page]").inner_text() == "12 bulan"
    page.get_by_role("link", name="3 bulan").click()
    page.wait_for_url("**/?window=3m")
    assert page.locator("[aria-current=page]").inner_text() == "3 bulan"
    names = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
    assert (names[0], names[-1]) == ("Bulan ini", "Semua")
    page.goto(f"{city.state['url']}/?window=today")  # not public: the page shows its default
    assert page.locator("[aria-current=page]").inner_text() == "12 bulan"


def test_the_documents_of_the_api_are_one_link_away(page: Page, city: Up) -> None:
    page.get_by_role("link", name="dokumentasi API").click()
    _, document = city.call("GET", "/openapi.json")
    for path in document["paths"]:
        page.locator(f'[data-path="{path}"]').first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("link", name="Daftar galat").click()
    assert page.locator("#invalid-submission").inner_text().startswith("invalid-submission")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_call_can_be_tried_on_the_page(page: Page, city: Up) -> None:
    page.goto(f"{city.state['url']}/docs")
    assert _tried(page, page.locator(".opblock", has=page.locator('[data-path="/v1/ikm"]'))) == 200
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_submissions_can_be_tried_with_a_key(page: Page, city: Up) -> None:
    page.goto(f"{city.state['url']}/docs")
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill((city.home / "example.key").read_text().strip())
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Apply credentials").click()
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Close").click()
    submissions = page.locator(".opblock", has=page.locator('[data-path="/v1/submissions"]'))
    assert _tried(page, submissions) == 202
    key = (city.home / "example.key").read_text().strip()
    metrics, sent = f"{city.state['url']}/metrics", {"authorization": f"Bearer {key}"}
    # It becomes a figure before the next test reads figures twice.
    eventually(lambda: "ikm_stale_opd 0.0" in page.request.get(metrics, headers=sent).text())


def _tried(page: Page, operation: Locator) -> int:
    """The status that a call has when it is tried with what the page proposes."""
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table tbody .response-col_status")
    return int(answer.inner_text().split()[0])


def test_without_a_script_the_documents_are_named(browser: Browser, city: Up) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{city.state['url']}/docs")
    names = page.locator("noscript a").all_inner_texts()
    assert names == ["openapi.json", "daftar galat", "openapi.json", "list of problems"]
    context.close()


def test_it_needs_no_script(browser: Browser, city: Up) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    answer = page.goto(f"{city.state['url']}/?window=all")
    assert answer is not None
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.locator("html").get_attribute("lang") == "id"
    assert page.get_by_role("table").count() == 1
    context.close()


# The lowest contrast (WCAG 2.2, 1.4.3) of any text with the background it is painted on.
_CONTRAST = """
() => {
  const rgb = css => css.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll('body *')].filter(
    e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
      && e.offsetParent !== null);
  return Math.min(...texts.map(e => {
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }));
}
"""
