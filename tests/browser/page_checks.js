// Runs within the page, as its last script; EXPECTED comes from page_test.py. Leaves one line a failed check, then "done",
// in an element that --dump-dom shows.
"use strict";
(async () => {
  const failures = [];
  const check = (what, holds) => {
    if (!holds) failures.push(what);
  };
  const settle = () => new Promise((resolve) => setTimeout(resolve, 60));
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (selector, within = document) => within.querySelector(selector);
  const row = (id) => document.getElementById(id);
  const panel = (id) => one(`[data-panel="${id}"]`);

  // How many pixels of a chart are drawn, and how light they are on average.
  const drawn = (chart) => {
    let pixels = 0;
    let light = 0;
    for (const canvas of all("canvas", chart)) {
      if (canvas.width === 0 || canvas.height === 0) continue;
      const bytes = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      for (let i = 0; i < bytes.length; i += 4)
        if (bytes[i + 3] > 200) {
          ++pixels;
          light += (bytes[i] + bytes[i + 1] + bytes[i + 2]) / 765;
        }
    }
    return {pixels, light: pixels > 0 ? light / pixels : 0};
  };
  const isDrawn = (chart) => chart !== null && drawn(chart).pixels > 500;

  const head = () => {
    check("the page is ready", document.documentElement.dataset.ready === "true");
    check("headline: " + one("#headline").textContent, one("#headline").textContent.startsWith(`${EXPECTED.pages} incident`));
    check("summary", one("#summary").textContent.includes("14,400"));
    check("what is left out is said", one("#left-out").textContent.includes("said to a person"));
    check("overview chart", isDrawn(one("#whole .chart")));
    check("a bar for each page", all("#lanes .lane a").length === EXPECTED.pages);
    check("one row for each page", all("tr.row").length === EXPECTED.pages);
    check("no row for a child", row(EXPECTED.child) === null);
    check("nothing is wider than the screen", document.scrollingElement.scrollWidth <= innerWidth + 1);
  };

  const colours = () => {
    check("colour scheme", matchMedia("(prefers-color-scheme: dark)").matches === EXPECTED.dark);
    const paper = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    const light = (paper[0] + paper[1] + paper[2]) / 765;
    check("paper " + paper, EXPECTED.dark ? light < 0.2 : light > 0.9);
  };

  const openParent = async () => {
    one("td.severity-cell", row(EXPECTED.parent)).click();
    await settle();
    const place = panel(EXPECTED.parent);
    check("a click opens the panel", place !== null);
    if (!place) return;
    check("the address names it", location.hash === "#" + EXPECTED.parent);
    check("told to screen readers", one("td.key a", row(EXPECTED.parent)).getAttribute("aria-expanded") === "true");
    check("chart of the incident", isDrawn(one(".chart", place)));
    check("chart fits the scheme", EXPECTED.dark === drawn(one(".chart", place)).light > 0.5);
    check("causes as bars", all(".bar-line .bar span", place).some((bar) => bar.getBoundingClientRect().width > 50));
    check("error types", place.textContent.includes("HLS_404"));
    check("proof", place.textContent.includes("Why it opened") && place.textContent.includes("Chance alone would do this once in"));
    check("gates", place.textContent.includes("times the expected rate"));
    check("records", place.textContent.includes("Records"));
    check("hostile text is text", place.textContent.includes(EXPECTED.hostile));
    check("and no element", one("#hostile") === null && window.hostile === undefined);
    check("child in the panel", one(`a[href="#${EXPECTED.child}"]`, place) !== null);
    check("still nothing is wider than the screen", document.scrollingElement.scrollWidth <= innerWidth + 1);
  };

  const openChild = async () => {
    const link = one(`a[href="#${EXPECTED.child}"]`);
    if (!link) return;
    link.click();
    await settle();
    const place = panel(EXPECTED.child);
    check("a child opens within its parent", place !== null && panel(EXPECTED.parent) !== null && panel(EXPECTED.parent).contains(place));
    check("chart of the child", place !== null && isDrawn(one(".chart", place)));
  };

  const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  const keyboard = async () => {
    press("Escape");
    await settle();
    check("Escape closes", one(".panel") === null && location.hash === "");
    const links = all("tr.row td.key a");
    links[0].focus();
    press("ArrowDown");
    check("an arrow goes to the next row", document.activeElement === links[1]);
    document.activeElement.click(); // what Enter does to a link
    await settle();
    check("Enter opens", one(".panel") !== null && location.hash === links[1].getAttribute("href"));
    check("one panel at a time", all("tr.panel-row").length === 1);
  };

  const finding = async () => {
    const find = one("#find");
    find.value = "hostile";
    find.dispatchEvent(new Event("input"));
    check("finding by cause", all("tr.row").length === 1 && row(EXPECTED.parent) !== null);
    find.value = "";
    find.dispatchEvent(new Event("input"));
    one("#order").value = "onset";
    one("#order").dispatchEvent(new Event("change"));
    const times = all("tr.row time").map((time) => time.getAttribute("datetime"));
    check("order by time", times.length === EXPECTED.pages && times.every((time, i) => i === 0 || times[i - 1] <= time));
  };

  const linked = () => {
    check("a link to a child opens it", panel(EXPECTED.child) !== null && panel(EXPECTED.parent) !== null);
    check("with its chart", panel(EXPECTED.child) !== null && isDrawn(one(".chart", panel(EXPECTED.child))));
  };

  try {
    await settle();
    colours();
    if (location.hash) {
      linked();
    } else {
      head();
      await openParent();
      await openChild();
      await keyboard();
      await finding();
    }
  } catch (error) {
    failures.push("exception: " + error.stack);
  }
  failures.push(...window.pageErrors);
  const result = document.createElement("pre");
  result.id = "result";
  result.textContent = failures.map((text) => "failed: " + text + "\n").join("") + "done";
  document.body.append(result);
})();
