"""Headless Chromium as a person's browser, by the Debian packages chromium and chromium-driver."""

from __future__ import annotations

import base64
from pathlib import Path
from types import TracebackType
from typing import Self

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1700,620",
)  # fmt: skip


class Browser:
    """A browser that is logged in at whatever it opens."""

    def __init__(self, profile: Path, login: str) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for option in (*OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        self._driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
        told = base64.b64encode(login.encode()).decode()
        self._driver.execute_cdp_cmd("Network.enable", {})
        self._driver.execute_cdp_cmd(
            "Network.setExtraHTTPHeaders", {"headers": {"Authorization": f"Basic {told}"}}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._driver.quit()

    def open(self, url: str) -> None:
        self._driver.get(url)

    def text(self) -> str:
        """What stands on the page now."""
        return str(self._driver.find_element(By.TAG_NAME, "body").text)

    def says(self, *words: str) -> str:
        """The text of the page if all of the words stand on it, else nothing; it is loaded anew then."""
        text = self.text()
        if all(word in text for word in words):
            return text
        self._driver.refresh()
        return ""

    def save(self, path: Path) -> None:
        self._driver.save_screenshot(str(path))
