"""Pages in a headless Chromium without a network: what they asked for and what they complained of is kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_INSTALL = "install Chromium and its driver, on Debian: apt-get install chromium chromium-driver"


@dataclass
class Browser:
    """One page at a time. `driver` is selenium's, for what is not here."""

    driver: Any

    def open(self, file: Path, *, width: int = 1200, height: int = 900) -> None:
        """Opens a file in an empty window of that size, in CSS pixels; what the page before left behind is forgotten."""
        self.driver.get("about:blank")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.errors()
        self.requests()
        self.driver.get(file.as_uri())
        self.wait("return location.protocol === 'file:' && document.readyState === 'complete'", 30)

    def run(self, code: str, *arguments: object) -> Any:
        """What a function body in JavaScript returns."""
        return self.driver.execute_script(code, *arguments)

    def all(self, css: str) -> list[Any]:
        return list(self.driver.find_elements("css selector", css))

    def one(self, css: str) -> Any:
        return self.driver.find_element("css selector", css)

    def text(self, css: str) -> str:
        return str(self.one(css).get_property("textContent"))

    def click(self, css: str) -> None:
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", self.one(css))
        self.one(css).click()

    def wait(self, code: str, seconds: float = 30) -> Any:
        """Until a function body returns something true."""
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.driver, seconds, 0.05).until(lambda driver: driver.execute_script(code))

    def errors(self) -> list[str]:
        """What was written to the console as an error since this was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        """Addresses that were asked for since this was last asked; what a page carries in itself is none."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith(("data:", "blob:", "about:"))]


@contextmanager
def started(profile: Path) -> Iterator[Browser]:
    """A Chromium with a profile of its own in an empty folder; the test is skipped where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="pip install selenium")
    program = next((path for name in _NAMES if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip(f"no Chromium: {_INSTALL}")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for option in (*_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chromium = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield Browser(chromium)
    finally:
        chromium.quit()
