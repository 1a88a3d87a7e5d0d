"""A resident's browser: run inside the resident's namespace, drives headless Chromium, prints its steps as JSON.

Usage: browser.py CA_FILE FOLDER [SCREENSHOT_FOLDER]. FOLDER is an empty folder for the browser's own files.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-quic",
    "--accept-lang=fr-FR",
    "--disable-component-update",
    "--no-first-run",
    "--disable-sync",
    "--window-size=390,844",
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,DnsOverHttps",
)
PATIENCE_SECONDS = 15


def fetched(driver: webdriver.Chrome) -> list[tuple[str, int]]:
    """URL and bytes on the wire of everything fetched since the last question."""
    urls: dict[str, str] = {}
    found = []
    for entry in driver.get_log("performance"):
        message: dict[str, Any] = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            urls[message["params"]["requestId"]] = message["params"]["request"]["url"]
        if message["method"] == "Network.loadingFinished":
            found.append((urls.get(message["params"]["requestId"], ""), int(message["params"]["encodedDataLength"])))
    return [(url, size) for url, size in found if url.startswith("http")]


def trust(ca: Path, folder: Path) -> None:
    """Put the lab's CA into the browser's own certificate store, as a town's public CA is in everybody's."""
    store = folder / ".pki/nssdb"
    store.mkdir(parents=True)
    certutil = ["certutil", "-d", f"sql:{store}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    subprocess.run([*certutil, "-A", "-t", "C,,", "-n", "lab", "-i", str(ca)], check=True)


@contextmanager
def browser(folder: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.binary_location = "/usr/bin/chromium"
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()


class Steps:
    """Names and durations of what happened, in order."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, object]]:
        row: dict[str, object] = {"step": name}
        begun = time.monotonic()
        yield row
        row["seconds"] = round(time.monotonic() - begun, 3)
        self.rows.append(row)


def journey(driver: webdriver.Chrome, steps: Steps, pictures: Path | None) -> None:
    wait = WebDriverWait(driver, PATIENCE_SECONDS, poll_frequency=0.05)
    with steps.step("http page leads to the splash page") as row:
        driver.get("http://example.org/news")
        wait.until(lambda d: d.find_elements(By.CSS_SELECTOR, "form button"))
        row |= {
            "url": driver.current_url,
            "title": driver.title,
            "language": driver.find_element(By.TAG_NAME, "html").get_attribute("lang"),
        }
    if pictures:
        driver.save_screenshot(str(pictures / "splash.png"))
    with steps.step("one tap admits") as row:
        driver.find_element(By.CSS_SELECTOR, "main form button").click()
        wait.until(lambda d: "/status" in d.current_url)
        row |= {
            "url": driver.current_url,
            "title": driver.title,
            "text": driver.find_element(By.TAG_NAME, "main").text[:300],
        }
    if pictures:
        driver.save_screenshot(str(pictures / "online.png"))
    for scheme in ("http", "https"):
        with steps.step(f"{scheme} page of the internet") as row:
            driver.get(f"{scheme}://example.org/news")
            row |= {"url": driver.current_url, "text": driver.find_element(By.TAG_NAME, "body").text[:200]}


def main() -> None:
    ca, folder = Path(sys.argv[1]), Path(sys.argv[2])
    pictures = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    os.environ |= {"HOME": str(folder), "TMPDIR": str(folder)}
    trust(ca, folder)
    steps = Steps()
    with browser(folder) as driver:
        journey(driver, steps, pictures)
    json.dump(steps.rows, sys.stdout, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main()
