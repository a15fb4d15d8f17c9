"""TensorBoard's projector page in Chromium, by what a person reads and does there."""

import re
import shutil
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTH, HEIGHT = 1280, 800
"""Of the page; so large is the README's picture too."""
PATH = "data/plugin/projector/projector_binary.html"

_FIND = "const projector = document.querySelector('vz-projector-dashboard').shadowRoot.querySelector('#projector');"
_OPENED = """() => {
    const dashboard = document.querySelector('vz-projector-dashboard');
    return dashboard?.shadowRoot?.querySelector('#projector')?.dataPanel != null;
}"""
_KEEP_ERRORS = """
    const dialog = projector.shadowRoot.querySelector('#notification-dialog');
    window.errorsShown = [];
    new MutationObserver(() => {
        for (const error of dialog.querySelectorAll('.error')) window.errorsShown.push(error.innerText);
    }).observe(dialog, {childList: true, subtree: true});
"""
_NOTE_REFUSED = "document.addEventListener('securitypolicyviolation', event => noteRefused(event.blockedURI));"
_SHOWN = """
    const dialog = projector.shadowRoot.querySelector('#notification-dialog');
    const panel = projector.dataPanel;
    const chosen = given.run == null || (panel.selectedRun === given.run && panel.selectedTensor === given.tensor);
    const drawn = chosen && projector.dataSet != null && projector.projection != null && !dialog.opened;
    return drawn || window.errorsShown.length > 0;
"""
_COORDINATES = """
    const names = projector.projection.projectionComponents.filter(name => name != null);
    return projector.dataSet.points.map(point => names.map(name => point.projections[name] ?? null));
"""


_COLOURS = """
    const parts = projector.projectorScatterPlotAdapter.scatterPlot.pointColors;
    const hexadecimal = part => Math.round(255 * part).toString(16).padStart(2, '0');
    return projector.dataSet.points.map((_, i) => '#' + [0, 1, 2].map(c => hexadecimal(parts[3 * i + c])).join(''));
"""
_LEGEND = """
    return Object.fromEntries(projector.dataPanel.colorLegendRenderInfo.items.map(item => [item.label, item.color]));
"""
_SELECTED = """
    const label = projector.selectedLabelOption;
    return projector.selectedPointIndices.map(index => String(projector.dataSet.points[index].metadata[label]));
"""
_MATCHES = ".matches-list .row a.label"


_FLAGS = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
"""The page draws with WebGL, here without a graphics card; root has no sandbox in a container."""


def program() -> str | None:
    """Returns the path of Debian's Chromium, or of another, or None."""
    return shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def chromium() -> "Iterator[Browser]":
    """Runs a Chromium without a window until the block ends."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def fresh_page(browser: "Browser", address: str) -> "Iterator[ProjectorPage]":
    """Makes a page that shares nothing with others, until the block ends."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    try:
        yield ProjectorPage(context.new_page(), address)
    finally:
        context.close()


@dataclass(frozen=True)
class Neighbour:
    """A line of the page's list of nearest points.

    Args:
        label: What the point is called.
        distance: The page's distance from the point that is selected, to three decimals.
    """

    label: str
    distance: float


class ProjectorPage:
    """The page of a TensorBoard, which keeps what went wrong and what was asked from elsewhere.

    Args:
        page: A page of the browser that nothing was opened in.
        address: TensorBoard's, with a slash at its end.
    """

    def __init__(self, page: "Page", address: str) -> None:
        self._page = page
        self._address = address
        self._asked: list[str] = []
        self._thrown: list[str] = []
        # TensorBoard forbids its pages to ask elsewhere, and what Chromium refuses for that is no request.
        page.expose_function("noteRefused", lambda url: self._asked.append(url))
        page.add_init_script(_NOTE_REFUSED)
        page.on("request", lambda request: self._asked.append(request.url))
        page.on("pageerror", lambda error: self._thrown.append(str(error)))

    def open(self) -> None:
        """Opens the page, which shows a tensor of the first run."""
        self._page.goto(self._address + PATH)
        self._page.wait_for_function(_OPENED)
        self._run(_KEEP_ERRORS)
        self.wait_until_shown()

    def show(self, run: str, tensor: str) -> None:
        """Chooses a run and one of its tensors, and waits until its points are drawn."""
        if self._run("return projector.dataPanel.selectedRun") != run:
            self._run("projector.dataPanel.selectedRun = given", run)
            self._wait("return projector.dataPanel.tensorNames.some(shown => shown.name === given)", tensor)
            self.wait_until_shown()
        self._run("projector.dataPanel.selectedTensor = given", tensor)
        self.wait_until_shown(run, tensor)

    def wait_until_shown(self, run: str | None = None, tensor: str | None = None, seconds: float = 120) -> None:
        """Waits until points are drawn and no message lies over them, or an error does."""
        self._wait(_SHOWN, {"run": run, "tensor": tensor}, seconds)

    def tensors(self) -> list[str]:
        """Returns the names of the tensors that the chosen run offers."""
        return self._run("return projector.dataPanel.tensorNames.map(shown => shown.name)")

    def points(self) -> int:
        """Returns the number of points that the page says it shows."""
        return int(self._text("span.numDataPoints"))

    def dimension(self) -> int:
        """Returns the number of dimensions that the page says a point has."""
        return int(self._text("span.dim"))

    def coordinates(self) -> list[list[float | None]]:
        """Returns two or three coordinates of each point, None where the page has none."""
        return self._run(_COORDINATES)

    def search(self, text: str) -> list[str]:
        """Types into the search box, and returns the labels of the matches, of which the page lists 100 at most."""
        box = self._page.locator("#inspector-panel #search-box")
        box.locator("input").fill(text)
        box.get_by_text(re.compile(r"^\d+ matches\.$")).wait_for()
        # A single match is selected at once, and its neighbours stand where the matches would.
        return self._titles(_MATCHES) or self.selected()

    def select(self, label: str) -> None:
        """Searches a label, and selects the match of exactly that name."""
        matches = self.search(label)
        if matches != [label]:
            self._page.locator(f"#inspector-panel {_MATCHES}").nth(matches.index(label)).click()

    def selected(self) -> list[str]:
        """Returns the labels of the points that are selected."""
        return self._run(_SELECTED)

    def neighbours(self) -> list[Neighbour]:
        """Returns what the page lists as nearest to the point that is selected, the nearest first."""
        labels = self._titles(".nn-list .neighbor-link")
        distances = self._page.locator("#inspector-panel .nn-list .value").all_inner_texts()
        return [Neighbour(label, float(distance)) for label, distance in zip(labels, distances, strict=True)]

    def views(self) -> list[str]:
        """Returns the labels of the bookmarks."""
        return self._run("return projector.bookmarkPanel.savedStates.map(state => state.label)")

    def load(self, view: str) -> None:
        """Clicks on a bookmark, and waits until it is drawn."""
        self._page.locator("#bookmark-panel .state-radio").nth(self.views().index(view)).click()
        self.wait_until_shown()

    def tab(self) -> str:
        """Returns the projection that is chosen: pca, tsne, umap or custom."""
        return self._run("return projector.projectionsPanel.currentProjection")

    def run_pca(self) -> None:
        """Clicks on the tab of PCA."""
        self._open_tab("pca")
        self.wait_until_shown()

    def run_tsne(self, iterations: int) -> None:
        """Clicks on the tab of t-SNE, and waits for a number of iterations."""
        self._open_tab("tsne")
        self._wait("return projector.dataSet.tSNEIteration >= given || window.errorsShown.length > 0", iterations)

    def run_umap(self) -> None:
        """Clicks on the tab of UMAP, and waits for its end."""
        self._open_tab("umap")
        self._wait("return projector.dataSet.projections.umap === true || window.errorsShown.length > 0")
        self.wait_until_shown()

    def colour(self) -> str:
        """Returns the name of what the points are coloured by."""
        return self._run("return projector.dataPanel.selectedColorOptionName")

    def colours_drawn(self) -> list[str]:
        """Returns the colour in which each point is drawn, as `#rrggbb`."""
        return self._run(_COLOURS)

    def legend(self) -> dict[str, str]:
        """Returns the colour that the legend gives to each value."""
        return self._run(_LEGEND)

    def metadata(self, name: str) -> list[str]:
        """Returns a column of the metadata as the page has taken it, one text a point."""
        return self._run("return projector.dataSet.points.map(point => String(point.metadata[given]))", name)

    def errors(self) -> list[str]:
        """Returns what was shown as an error, and what the page's program threw."""
        return [*self._run("return window.errorsShown"), *self._thrown]

    def close_errors(self) -> None:
        """Closes the error that is shown."""
        self._page.locator("#notification-dialog .close-button").click()

    def requests_elsewhere(self) -> list[str]:
        """Returns the addresses asked, or tried to ask, of anything but TensorBoard."""
        here = urllib.parse.urlsplit(self._address).netloc
        parts = [urllib.parse.urlsplit(url) for url in self._asked]
        return [part.geturl() for part in parts if part.netloc not in ("", here)]

    def picture(self, path: Path) -> None:
        """Saves what is on the screen."""
        self._page.screenshot(path=path)

    def _open_tab(self, name: str) -> None:
        self._page.locator(f"#projections-panel .ink-tab[data-tab={name}]").click()

    def _titles(self, selector: str) -> list[str]:
        # The title holds a label as it is; what is drawn has its white space folded.
        links = self._page.locator(f"#inspector-panel {selector}")
        return links.evaluate_all("links => links.map(link => link.title)")

    def _text(self, selector: str) -> str:
        return self._page.locator(f"#projector {selector}").inner_text()

    def _run(self, body: str, given: Any = None) -> Any:
        return self._page.evaluate(f"given => {{ {_FIND} {body} }}", given)

    def _wait(self, body: str, given: Any = None, seconds: float = 120) -> None:
        self._page.wait_for_function(f"given => {{ {_FIND} {body} }}", arg=given, timeout=seconds * 1000)
