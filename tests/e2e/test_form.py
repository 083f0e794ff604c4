"""The citizens' page in a real browser: by finger, by keyboard, without scripts or network."""

import gzip
import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.running import Up, eventually
from tests.e2e.test_page import ARGUMENTS

OPD, LAYANAN = "dishub", "uji-kir"
PATH = f"/s/{OPD}/{LAYANAN}"
WEIGHT_MAX = 60 * 1024
AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
}

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="id-ID")
    yield context
    context.close()


@pytest.fixture
def page(phone: BrowserContext, city: Up, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page of a layanan, with everything that it asked for and complained about."""
    page = phone.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(city.state["url"] + PATH)
    yield page
    page.screenshot(path=_evidence(request.node.name), full_page=True)
    assert [url for url in asked if not url.startswith(city.state["url"])] == []
    assert [text for text in complaints if "Content Security" in text or "Error" in text] == []


def _evidence(name: str) -> Path:
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / "ikm-pages"
    folder.mkdir(exist_ok=True)
    return folder / f"{name}.png"


def counted(city: Up) -> int:
    """The respondents of the OPD, as counted."""
    return city.respondents(OPD) or 0


def tap_through(page: Page) -> None:
    """Answer the nine questions with a finger, and leave the rest empty."""
    for number in range(1, 10):
        page.locator(f"#U{number} .option .text").nth(3).click()
        expect(page.locator(f"#U{number}")).to_be_hidden()
    page.get_by_role("button", name="Lanjut").click()


def no_violation(page: Page) -> None:
    """Let axe-core judge what is shown now."""
    results = Axe().run(page, options=AXE_OPTIONS)
    assert results.violations_count == 0, results.generate_report()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_finger_answers_question_by_question_and_a_double_click_counts_once(
    page: Page, city: Up
) -> None:
    before = counted(city)
    no_violation(page)
    assert fits(page)
    tap_through(page)
    no_violation(page)
    page.get_by_role("button", name="Kirim jawaban").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Terima kasih")
    no_violation(page)
    assert fits(page)
    assert re.fullmatch(r"[0-9a-f-]{36}", page.locator(".receipt code").inner_text())
    eventually(lambda: counted(city) == before + 1)


def test_the_keyboard_is_enough(page: Page, city: Up) -> None:
    before = counted(city)
    for number in range(1, 10):
        page.locator(f"#U{number}").wait_for()
        while not page.evaluate(f"document.activeElement.name === 'U{number}'"):
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
        assert page.locator(f"#U{number}").is_visible()
        page.keyboard.press("Enter")
    while page.evaluate("document.activeElement.textContent") != "Lanjut":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    while page.evaluate("document.activeElement.textContent") != "Kirim jawaban":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Terima kasih")
    eventually(lambda: counted(city) == before + 1)


def test_without_scripts_it_is_one_long_form(browser: Browser, city: Up) -> None:
    before = counted(city)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(f"{city.state['url']}/s/{OPD}")
    page.get_by_role("link", name="Uji KIR").click()
    assert page.locator("fieldset").count() == 11
    for number in range(1, 10):
        page.locator(f"#U{number} .option").nth(2).click()
    page.locator("#age").fill("34")
    page.locator("#comment").fill("Cepat dan ramah")
    page.screenshot(path=_evidence("form-without-scripts"), full_page=True)
    page.get_by_role("button", name="Kirim jawaban").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Terima kasih"
    page.reload()  # sends the form once more
    context.close()
    eventually(lambda: counted(city) == before + 1)


def test_what_was_answered_without_network_is_delivered_once(
    page: Page, phone: BrowserContext, city: Up
) -> None:
    before = counted(city)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()  # now the worker has the page
    phone.set_offline(offline=True)
    for _ in range(2):
        page.reload()
        tap_through(page)
        page.get_by_role("button", name="Kirim jawaban").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Tersimpan di perangkat ini")
    no_violation(page)
    page.screenshot(path=_evidence("form-offline"), full_page=True)
    assert counted(city) == before
    phone.set_offline(offline=False)
    page.reload()
    eventually(lambda: counted(city) == before + 2)
    page.reload()
    expect(page.locator("#waiting")).to_be_hidden()
    assert counted(city) == before + 2


def test_in_english_and_on_a_desk(browser: Browser, city: Up) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.goto(f"{city.state['url']}{PATH}?p=loket-3")
    page.get_by_role("link", name="English").click()
    assert page.url.endswith("?p=loket-3&lang=en")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("[name=point]").input_value() == "loket-3"
    no_violation(page)
    page.screenshot(path=_evidence("form-desk-dark"), full_page=True)
    page.goto(f"{city.state['url']}/s/{OPD}")
    no_violation(page)
    context.close()


def test_all_of_the_page_together_is_light(city: Up) -> None:
    url = city.state["url"]
    html = httpx.get(url + PATH, trust_env=False).text
    paths = {*re.findall(r'(?:src|href)="(/s/static/[^"]+)"', html), "/s/worker.js"}
    files = [httpx.get(url + path, trust_env=False).content for path in paths]
    weight = sum(len(gzip.compress(content)) for content in (html.encode(), *files))
    print(f"the page weighs {weight:,} bytes")
    assert weight < WEIGHT_MAX
