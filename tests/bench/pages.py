"""What the pages cost a resident, by Chromium in the resident's place: weights, requests, nodes, and a slow line.

Run inside the resident's namespace: pages.py CA_FILE FOLDER ROUNDS; prints JSON. *time to online* is from the
navigation to the page that says "online", with one tap between, behind 512 kbit/s and 300 ms as the browser's own
throttling makes them (Network.emulateNetworkConditions: it slows requests, not the TLS handshake).
"""

import json
import os
import sys
import time
from pathlib import Path

from browser import FLAGS, fetched, trust
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

PORTAL = "https://wifi.cachan.example/"
PAPERS = ("cgu", "donnees", "mentions", "aide", "ici", "facile", "accessibilite", "eco-conception", "affiche")
LANGUAGES = ("fr", "en", "es", "pt", "ar", "uk", "zh")
SLOW = {"offline": False, "latency": 300, "downloadThroughput": 512_000 / 8, "uploadThroughput": 512_000 / 8}
FAST = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
Cost = dict[str, float]


def chromium(folder: Path) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    options.binary_location = "/usr/bin/chromium"
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def cost(driver: webdriver.Chrome, address: str) -> Cost:
    fetched(driver)
    driver.get(address)
    seen = fetched(driver)
    nodes = driver.execute_script("return document.querySelectorAll('*').length")
    return {"bytes": sum(size for _, size in seen), "requests": len(seen), "nodes": nodes}


def journey(driver: webdriver.Chrome) -> Cost:
    """From navigation to the page that says online, and back out."""
    driver.get("about:blank")
    fetched(driver)
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", SLOW)
    begun = time.monotonic()
    driver.get(PORTAL)
    driver.find_element(By.CSS_SELECTOR, "main form button").click()
    WebDriverWait(driver, 30, poll_frequency=0.02).until(
        lambda d: "/status" in d.current_url and d.execute_script("return document.readyState") == "complete"
    )
    seconds = time.monotonic() - begun
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", FAST)
    seen = fetched(driver)
    driver.find_element(By.CSS_SELECTOR, "form[action$=leave] button").click()
    WebDriverWait(driver, 30).until(lambda d: "/goodbye" in d.current_url)
    return {"seconds": seconds, "bytes": sum(size for _, size in seen), "requests": len(seen)}


def main() -> None:
    ca, folder, rounds = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    os.environ |= {"HOME": str(folder), "TMPDIR": str(folder)}
    trust(ca, folder)
    driver = chromium(folder)
    try:
        driver.execute_cdp_cmd("Network.enable", {})
        pages = {f"splash, {language}": cost(driver, f"{PORTAL}{language}/") for language in LANGUAGES}
        pages |= {paper: cost(driver, f"{PORTAL}fr/{paper}") for paper in PAPERS}
        journeys = [journey(driver) for _ in range(rounds)]
    finally:
        driver.quit()
    json.dump({"pages": pages, "journeys": journeys}, sys.stdout)


if __name__ == "__main__":
    main()
