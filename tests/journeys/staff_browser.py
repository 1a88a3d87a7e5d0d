"""Staff at the console: run inside the centre's namespace, drives headless Chromium by orders on standard input.

Usage: staff_browser.py CA_FILE FOLDER. Each line of input is one JSON list, an order and its words; each gets one JSON
answer on standard output: the page's address, its title, the text of its main part, and any accessibility fault.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from browser import PATIENCE_SECONDS, browser, trust
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CONSOLE = "https://localhost:9444"


def fill(driver: webdriver.Chrome, form: Any, fields: dict[str, str]) -> None:
    for summary in form.find_elements(By.XPATH, "ancestor::details[not(@open)]/summary"):
        summary.click()
    for name, value in fields.items():
        field = form.find_element(By.NAME, name)
        if field.get_attribute("type") != "hidden":
            field.clear()
            field.send_keys(value)
    button = form.find_element(By.TAG_NAME, "button")
    page = driver.find_element(By.TAG_NAME, "html")
    button.click()
    WebDriverWait(driver, PATIENCE_SECONDS).until(lambda _: gone(page))


def gone(element: Any) -> bool:
    """Whether the page *element* was on has been left; Chromium has two ways to say so while the next page arrives."""
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    except WebDriverException as refused:
        if "does not belong to the document" in str(refused):
            return True
        raise
    return False


def obey(driver: webdriver.Chrome, order: list[Any]) -> None:
    match order:
        case ["open", path]:
            driver.get(CONSOLE + path)
        case ["send", selector, fields]:
            fill(driver, driver.find_element(By.CSS_SELECTOR, selector), fields)
        case ["picture", path]:
            driver.save_screenshot(path)


def main() -> None:
    ca, folder = Path(sys.argv[1]), Path(sys.argv[2])
    os.environ |= {"HOME": str(folder), "TMPDIR": str(folder)}
    trust(ca, folder)
    with browser(folder) as driver:
        driver.set_window_size(1280, 900)
        for line in sys.stdin:
            obey(driver, json.loads(line))
            text = driver.find_element(By.TAG_NAME, "main").text
            said = {"url": driver.current_url, "title": driver.title, "text": " ".join(text.split())}
            print(json.dumps(said, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
