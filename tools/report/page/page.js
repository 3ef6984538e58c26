// Draws the page from the JSON in #data. Values from outside become text nodes, never markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const incidents = data.incidents;
  const byId = new Map(incidents.map((one) => [one.id, one]));
  const severities = ["critical", "major", "warning"];
  const maxLanes = 25;
  const pageSize = 200;
  const axisWidth = 58;
  const charts = new Set(); // drawn now; redrawn when the colours change

  // ---- Elements and words.

  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };
  const byName = (id) => document.getElementById(id);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  const grouped = (number) => Math.round(number).toLocaleString("en-US");
  const digits = (value) => {
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size >= 1000) return grouped(value);
    if (size < 0.001) return value.toExponential(1);
    return String(Number(value.toPrecision(3)));
  };
  const percent = (rate) => digits(rate * 100) + "\u00a0%";
  const clock = (ms, withDate = true) => {
    const text = new Date(ms).toISOString();
    return (withDate ? text.slice(0, 10) + " " : "") + text.slice(11, 19);
  };
  const minutely = (ms) => clock(ms).slice(0, 16);
  const span = (ms) => {
    const units = [[86400000, "d"], [3600000, "h"], [60000, "m"], [1000, "s"]];
    const first = units.findIndex(([length]) => ms >= length);
    if (first < 0) return "0s";
    const [length, name] = units[first];
    let text = Math.floor(ms / length) + name;
    const next = units[first + 1];
    const rest = next ? Math.floor((ms % length) / next[0]) : 0;
    if (rest > 0) text += " " + rest + next[1];
    return text;
  };
  const plural = (count, one, many) => grouped(count) + " " + (count === 1 ? one : many || one + "s");

  const shownValue = (value) => (value === null ? "(none)" : value);
  const dimensions = (pairs) => pairs.map(([name, value]) => name + "=" + shownValue(value)).join(", ");
  const inner = (one) => dimensions(one.key.slice(one.scope)) || (one.scope > 0 ? "all of " + dimensions(one.key) : "the whole stream");
  const scopeOf = (one) => (one.scope > 0 && one.key.length > one.scope ? dimensions(one.key.slice(0, one.scope)) : "");
  const shownRate = (one, value) => (one.volume ? digits(value) + "/h" : percent(value));
  const endOf = (one) => (one.ended === null ? data.end : one.ended);
  const lasted = (one) => Math.max(0, endOf(one) - one.onset);
  const endings = {resolve: "resolved", expire: "expired", rebase: "new normal", retract: "retracted"};
  const ending = (one) => (one.open ? "still open" : endings[one.last] || "closed");

  const severityTag = (one) => element("span", {class: "severity " + one.severity}, one.severity);
  const tag = (text) => element("span", {class: "tag"}, text);

  // ---- Children under their parents; a child whose parent is not here stands for itself.

  const childrenOf = new Map();
  for (const one of incidents)
    if (one.parent !== null && byId.has(one.parent)) {
      if (!childrenOf.has(one.parent)) childrenOf.set(one.parent, []);
      childrenOf.get(one.parent).push(one);
    }
  const parentOf = (one) => (one.parent !== null ? byId.get(one.parent) || null : null);
  const topOf = (one) => {
    const seen = new Set();
    while (parentOf(one) && !seen.has(one.id)) {
      seen.add(one.id);
      one = parentOf(one);
    }
    return one;
  };
  const rows = incidents.filter((one) => topOf(one) === one);

  // ---- Charts.

  const middle = (chart, index) => new Date(chart.begin + (index + 0.5) * chart.bucket);

  // Rows for dygraphs: one for each bucket, and an empty one where nothing is for long, so that the line breaks.
  const withGaps = (chart, toRow, empty, zeros) => {
    const out = [];
    let last = null;
    for (const point of chart.points) {
      const [index] = point;
      if (last !== null && zeros)
        for (let i = last + 1; i < index && out.length < 5000; ++i) out.push(zeros(i));
      else if (last !== null && index - last > 5) out.push([middle(chart, last + 1), ...empty]);
      out.push(toRow(point));
      last = index;
    }
    return out;
  };

  const common = (box, legend) => ({
    labelsUTC: true,
    legend: "always",
    labelsDiv: legend,
    axisLineColor: colour("line"),
    gridLineColor: colour("line"),
    gridLineWidth: 0.6,
    highlightCircleSize: 3,
    strokeWidth: 1.4,
    rightGap: 8,
    // A finger scrolls the page; a mouse may zoom.
    ...(matchMedia("(pointer: coarse)").matches ? {interactionModel: {}} : {}),
  });

  const draw = (box, make) => {
    const chart = {box, make, graph: null};
    chart.redraw = () => {
      if (chart.graph) chart.graph.destroy();
      chart.graph = make();
    };
    chart.redraw();
    charts.add(chart);
    return chart;
  };
  const forgetChartsIn = (place) => {
    for (const chart of [...charts])
      if (place.contains(chart.box)) {
        chart.graph.destroy();
        charts.delete(chart);
      }
  };
  // A canvas that is drawn while the browser prints stays empty on paper. So the paper gets what is on the screen: as
  // wide as there, and with the colours turned over if it is dark (page.css).
  const noteScreen = () => {
    if (matchMedia("print").matches) return false;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.scheme = dark ? "dark" : "light";
    document.documentElement.style.setProperty("--screen-width", document.body.offsetWidth + "px");
    return true;
  };
  const redrawAll = () => {
    if (noteScreen()) charts.forEach((chart) => chart.redraw());
  };

  const key = (kind, text) => `<span><i class="${kind}"></i>${text}</span>`;

  const wholeChart = (monitor, range, onView) => {
    const box = element("div", {class: "chart small", role: "img", "aria-label": "failure rate of all events of " + monitor.name});
    const legend = element("div", {class: "legend"});
    byName("whole").append(element("p", {class: "chart-title"}, `Failure rate of all events, ${monitor.name}, each point ${span(monitor.chart.bucket)}`), box, legend);
    const points = withGaps(monitor.chart, ([i, n, f]) => [middle(monitor.chart, i), n > 0 ? f / n : null], [null]);
    const counts = new Map(monitor.chart.points.map((point) => [middle(monitor.chart, point[0]).getTime(), point]));
    draw(box, () => new Dygraph(box, points, {
      ...common(box, legend),
      labels: ["time", "rate"],
      colors: [colour("observed")],
      dateWindow: range,
      includeZero: true,
      drawCallback: onView,
      axes: {y: {axisLabelWidth: axisWidth - 8, axisLabelFormatter: (v) => percent(v)}, x: {axisLabelWidth: 72}},
      legendFormatter: (at) => {
        const point = at.x === undefined ? undefined : counts.get(Number(at.x));
        if (!point) return key("observed", "observed");
        return `<span>${clock(Number(at.x))}</span>` + key("observed", `${percent(point[2] / point[1])} (${digits(point[2])} of ${digits(point[1])})`);
      },
    }));
  };

  // The rate that a bucket of n events may show by chance, if the true rate is p.
  const scatter = (p, n) => 1.96 * Math.sqrt(Math.max(0, p * (1 - p)) / n);

  const ratePoint = (one, chart, [i, n, f, expected, guarded]) => {
    const at = middle(chart, i);
    const rate = f / n;
    if (expected === undefined) {
      // Only the record tells what was expected, and only of its own time.
      const told = at >= one.onset && at <= endOf(one);
      return [at, [rate, rate, rate], told ? [one.baseline, one.baseline, one.baseline] : null];
    }
    const p = expected / n;
    const high = Math.min(1, guarded / n);
    const low = high > 0 ? (p * p) / high : 0;
    return [at, [rate, rate, rate], [Math.max(0, low - scatter(low, n)), p, Math.min(1, high + scatter(high, n))]];
  };
  const volumePoint = (one, chart, [i, n]) => {
    const at = middle(chart, i);
    const rate = (n * 3600000) / chart.bucket;
    const told = at >= one.onset && at <= endOf(one);
    return [at, [rate, rate, rate], told ? [one.baseline, one.baseline, one.baseline] : null];
  };

  // Onset, opening and end over the chart, each with its word.
  const drawMarks = (one) => (canvas, area, graph) => {
    const marks = [[one.onset, "onset", [4, 3]], [one.detected, "opened", []]];
    if (one.ended !== null) marks.push([one.ended, ending(one), [4, 3]]);
    const x = (ms) => graph.toDomXCoord(ms);
    const right = area.x + area.w;
    canvas.save();
    canvas.fillStyle = colour("during");
    const from = Math.max(area.x, x(one.onset));
    const to = Math.min(right, x(endOf(one)));
    if (to > from) canvas.fillRect(from, area.y, to - from, area.h);
    canvas.font = "12px system-ui, sans-serif";
    marks.forEach(([ms, word, dash], line) => {
      const at = Math.round(x(ms)) + 0.5;
      if (at < area.x || at > right) return;
      canvas.strokeStyle = colour("muted");
      canvas.setLineDash(dash);
      canvas.lineWidth = 1;
      canvas.beginPath();
      canvas.moveTo(at, area.y);
      canvas.lineTo(at, area.y + area.h);
      canvas.stroke();
      canvas.fillStyle = colour("muted");
      const fits = at + 8 + canvas.measureText(word).width < right;
      canvas.textAlign = fits ? "left" : "right";
      canvas.fillText(word, at + (fits ? 5 : -5), area.y + 13 + 14 * line);
    });
    canvas.restore();
  };

  const incidentChart = (one, place) => {
    const chart = one.panel.chart;
    const what = one.volume ? "Events an hour" : "Failure rate";
    const box = element("div", {class: "chart", role: "img", "aria-label": `${what} of ${inner(one)} over time, with onset and end`});
    const legend = element("div", {class: "legend"});
    place.append(element("p", {class: "chart-title"}, `${what}, each point ${span(chart.bucket)}`), box, legend);
    const toPoint = one.volume ? volumePoint : ratePoint;
    const points = withGaps(chart, (point) => toPoint(one, chart, point), [null, null],
      one.volume ? (index) => volumePoint(one, chart, [index, 0]) : null);
    const counts = new Map(chart.points.map((point) => [middle(chart, point[0]).getTime(), point]));
    const hasBand = chart.points.some((point) => point.length > 3);
    // The band of a few events may be as high as 100 %: the lines decide what is seen.
    const top = Math.max(...points.map((row) => Math.max(row[1] ? row[1][1] : 0, row[2] ? row[2][1] : 0)));
    const shown = (value) => (one.volume ? digits(value) : percent(value));
    draw(box, () => new Dygraph(box, points, {
      ...common(box, legend),
      labels: ["time", "observed", "expected"],
      customBars: true,
      fillAlpha: 0.18,
      series: {
        observed: {color: colour("observed"), drawPoints: points.length < 200, pointSize: 1.6},
        expected: {color: colour("expected"), strokePattern: [5, 3]},
      },
      valueRange: [0, (top || 1) * 1.25],
      axes: {y: {axisLabelWidth: axisWidth - 8, axisLabelFormatter: shown}, x: {axisLabelWidth: 72}},
      underlayCallback: drawMarks(one),
      legendFormatter: (at) => {
        const words = [key("observed", "observed"), key("expected", "expected")];
        if (hasBand) words.push(key("band", "taken for normal, chance scatter of each point included"));
        const row = at.x === undefined ? undefined : points.find((point) => point[0].getTime() === Number(at.x));
        const point = at.x === undefined ? undefined : counts.get(Number(at.x));
        if (!row || !row[1]) return words.join("");
        const of = !one.volume && point ? ` (${grouped(point[2])} of ${grouped(point[1])})` : "";
        words[0] = key("observed", shown(row[1][1]) + of);
        if (row[2]) words[1] = key("expected", shown(row[2][1]));
        if (hasBand && row[2]) words[2] = key("band", `${shown(row[2][0])} to ${shown(row[2][2])}`);
        return `<span>${clock(Number(at.x))}</span>` + words.join("");
      },
    }));
  };

  // ---- The head of the page.

  const fill = () => {
    const counts = data.counts;
    const pages = counts.critical + counts.major + counts.warning;
    byName("headline").textContent = pages === 0 ? "No incidents" : plural(pages, "incident") + (counts.critical > 0 ? `, ${counts.critical} critical` : "");
    const begin = data.begin;
    byName("span").textContent = data.end === null ? "no events"
      : begin === null ? `until ${clock(data.end)} UTC` : `${minutely(begin)} to ${minutely(data.end)} UTC, ${span(data.end - begin)}`;
    document.title = `Tocsin: ${byName("headline").textContent.toLowerCase()}`;

    const summary = byName("summary");
    const add = (name, value, note, big) => summary.append(element("div", {},
      element("dt", {}, name), element("dd", {class: big ? "big" : null}, value, note ? element("small", {}, note) : null)));
    const severity = element("span", {});
    severities.forEach((name) => {
      if (counts[name] > 0) severity.append(element("span", {class: "severity " + name}, `${grouped(counts[name])} ${name}`), element("br"));
    });
    const more = [];
    if (counts.children > 0) more.push(`${grouped(counts.children)} more explained by them`);
    if (counts.shadow > 0) more.push(`${grouped(counts.shadow)} in shadow`);
    if (counts.open > 0) more.push(`${grouped(counts.open)} still open`);
    if (pages === 0) severity.append("none");
    add("Pages", severity, more.join(", "));
    add("Records read", grouped(data.events), data.rejected > 0 ? `${grouped(data.rejected)} rejected` : "", true);
    for (const monitor of data.monitors)
      if (monitor.failures !== undefined && monitor.events > 0 && data.monitors.length <= 4) {
        const name = data.monitors.length === 1 ? "Failures" : "Failures, " + monitor.name;
        add(name, percent(monitor.failures / monitor.events), monitor.has_rates ? "mean of the rates" : `${grouped(monitor.failures)} of ${grouped(monitor.events)}`, true);
      }
    add("Keys", grouped(data.keys), data.keys_created > data.keys ? `${grouped(data.keys_created)} ever seen` : "", true);
    add("Monitors", data.monitors.map((monitor) => `${monitor.name} (${monitor.detectors.join(", ")})`).join("; "));
    const fileName = (path) => path.slice(path.lastIndexOf("/") + 1);
    add("Input", data.inputs.slice(0, 5).map(fileName).join(", "), data.inputs.length > 5 ? `and ${data.inputs.length - 5} more` : "");
    byName("left-out").append(...data.left_out.map((text) => element("li", {}, text)));
    byName("origin").textContent = `Input ${data.inputs.slice(0, 20).join(", ")}${data.inputs.length > 20 ? " ..." : ""}; configuration ${data.config}, fingerprint ${data.fingerprint}; ${plural(counts.records, "alert record")}.`;
  };

  // ---- Overview: the whole, and below it when each key had incidents.

  const overview = () => {
    const onsets = incidents.map((one) => one.onset);
    const begin = data.begin !== null ? data.begin : Math.min(...onsets);
    if (data.end === null || !(begin < data.end)) {
      byName("overview").hidden = true;
      return;
    }
    const lanes = new Map();
    for (const one of rows) {
      const name = inner(one) + (scopeOf(one) ? " of " + scopeOf(one) : "");
      if (!lanes.has(name)) lanes.set(name, []);
      lanes.get(name).push(one);
    }
    const box = element("div", {class: "lanes"});
    const bars = [];
    for (const [name, ones] of [...lanes].slice(0, maxLanes)) {
      const lane = element("div", {class: "lane"}, element("span", {class: "lane-name", title: name}, name));
      // The worst comes last, on top of the others.
      for (const one of ones.slice().reverse()) {
        const text = `${one.severity}: ${name}, ${clock(one.onset)}, ${span(lasted(one))}`;
        const bar = element("a", {href: "#" + one.id, class: one.severity + (one.shadow ? " shadow" : ""), title: text, "aria-label": text});
        bars.push([bar, one]);
        lane.append(bar);
      }
      box.append(lane);
    }
    const layOut = (from, to) => {
      const place = (ms) => (100 * (ms - from)) / (to - from);
      for (const [bar, one] of bars) {
        const left = Math.max(0, place(one.onset));
        const right = Math.min(100, place(endOf(one)));
        bar.hidden = left > 100 || right < 0;
        bar.style.left = `min(${left}%, 100% - 5px)`;
        bar.style.width = `${Math.max(0, right - left)}%`;
      }
    };
    // The lanes stand under the plot, and show the time that it shows.
    const followChart = (graph) => {
      const area = graph.getArea();
      box.style.paddingLeft = `${area.x}px`;
      box.style.paddingRight = `${Math.max(0, box.clientWidth - area.x - area.w)}px`;
      layOut(...graph.xAxisRange());
    };
    byName("lanes").append(box);
    layOut(begin, data.end);
    const shown = data.monitors.filter((monitor) => monitor.chart && monitor.chart.points.length > 0).slice(0, 4);
    shown.forEach((monitor) => wholeChart(monitor, [begin, data.end], followChart));
    if (shown.length > 0 && matchMedia("(pointer: fine)").matches)
      byName("lanes").append(element("p", {class: "lanes-note screen-only"}, "Drag across the chart to zoom, double-click to see all again."));
    if (lanes.size > maxLanes)
      byName("lanes").append(element("p", {class: "lanes-note"}, `${grouped(lanes.size - maxLanes)} more keys had milder incidents.`));
  };

  // ---- One incident in full.

  const section = (title, ...content) => element("div", {}, element("h3", {}, title), ...content);
  const bar = (share) => element("div", {class: "bar"}, element("span", {style: `width:${Math.min(100, Math.max(0, 100 * share))}%`}));
  const setInWords = (set) => dimensions(Object.entries(set)) || "everything";

  // A name and its number, a bar, and more about it.
  const barLine = (name, value, share, more) => element("div", {class: "bar-line"},
    element("span", {class: "name"}, name), element("span", {class: "value"}, value), bar(share), element("small", {}, more));
  const contributors = (panel) => {
    if (!panel.contributors || panel.contributors.length === 0) return null;
    return section("Where the excess is", ...panel.contributors.map((one) => barLine(setInWords(one.set), percent(one.share), one.share,
      `${digits(one.excess)} excess failures; without it the rate is ${percent(one.rate_without)}`)));
  };
  const errorTypes = (panel) => {
    if (!panel.error_types || panel.error_types.length === 0) return null;
    const most = Math.max(...panel.error_types.map((one) => one.failures), 1);
    return section("Error types", ...panel.error_types.map((one) => barLine(shownValue(one.type), grouped(one.failures),
      one.failures / most, `expected ${digits(one.expected)}`)));
  };
  const proof = (panel) => {
    if (!panel.proof) return null;
    const list = element("ul", {class: "proof"}, ...panel.proof.sentences.map((text) => element("li", {}, text)));
    if (panel.proof.gates.length === 0) return section("Why it opened", list);
    const table = element("table", {class: "facts"}, element("thead", {}, element("tr", {},
      element("th", {scope: "col"}, "Gate"), element("th", {scope: "col", class: "number"}, "found"),
      element("th", {scope: "col", class: "number"}, "needed"), element("th", {scope: "col"}, ""))));
    const body = element("tbody");
    for (const [name, found, needed, passes] of panel.proof.gates)
      body.append(element("tr", {}, element("td", {}, name), element("td", {class: "number"}, found),
        element("td", {class: "number"}, needed), element("td", {class: "nowrap"}, passes ? "\u2713 holds" : "\u2717 fails")));
    table.append(body);
    return section("Why it opened", list, element("div", {style: "height:.6rem"}), table);
  };
  const records = (panel) => {
    const body = element("tbody");
    const half = Math.floor(panel.history.length / 2);
    panel.history.forEach(([tick, , kind, severity, text], at) => {
      if (panel.history_left_out > 0 && at === half)
        body.append(element("tr", {}, element("td", {}), element("td", {}, "\u2026"), element("td", {}, `${plural(panel.history_left_out, "record")} left out`)));
      body.append(element("tr", {}, element("td", {class: "nowrap"}, element("time", {datetime: new Date(tick).toISOString()}, clock(tick))),
        element("td", {class: "nowrap"}, kind, " \u00b7 ", element("span", {class: "severity " + severity}, severity)), element("td", {}, text)));
    });
    return section("Records", element("table", {class: "facts records"}, body));
  };
  const numbers = (one, panel) => {
    const body = element("tbody");
    const add = (name, value) => body.append(element("tr", {}, element("td", {}, name), element("td", {class: "number"}, value)));
    for (const [name, value] of Object.entries(panel.model || {})) add(name, value === null ? "null" : String(value));
    for (const [partition, offset] of Object.entries(panel.offsets || {})) add(`offset to replay from, partition ${partition}`, grouped(offset));
    add("id", one.id);
    return element("details", {}, element("summary", {}, "Numbers of the detector"), element("table", {class: "facts"}, body));
  };

  const shortLine = (one) => {
    const unit = one.volume ? "missing events" : "excess failures";
    const more = [];
    if (one.panel && one.panel.reopened > 0) more.push(`re-opened ${plural(one.panel.reopened, "time")}`);
    if (one.open && one.panel && one.panel.closes_when) more.push(`closes when ${one.panel.closes_when}`);
    return `${shownRate(one, one.rate)} instead of ${shownRate(one, one.baseline)}, ${digits(one.excess)} ${unit}; ` +
      `from ${clock(one.onset)}, opened ${clock(one.detected)} after ${span(one.detected - one.onset)}, ` +
      `${one.open ? "still open" : `${ending(one)} ${clock(one.ended)}`}; ${one.monitor}, ${one.detector}` + more.map((text) => "; " + text).join("") + ".";
  };

  const childList = (one) => {
    const children = childrenOf.get(one.id) || [];
    if (children.length === 0 && one.children === 0) return null;
    const list = element("ul", {class: "children"});
    for (const child of children)
      list.append(element("li", {id: child.id}, element("a", {class: "child", href: "#" + child.id},
        severityTag(child), element("b", {}, inner(child)),
        element("span", {class: "tabular"}, `${shownRate(child, child.rate)} instead of ${shownRate(child, child.baseline)}`),
        element("span", {class: "tabular muted"}, `${digits(child.excess)} excess, ${span(lasted(child))}`))));
    const missing = one.children - children.length;
    return section(`Explained by this one: ${plural(Math.max(one.children, children.length), "incident")}`, list,
      missing > 0 ? element("p", {class: "muted"}, `${grouped(missing)} of them are not on this page.`) : null);
  };

  // A chart asks for its width when it is drawn, so the panel stands in the page before.
  const showPanel = (one, where) => {
    const place = element("div", {class: "panel", "data-panel": one.id});
    where.append(place);
    place.append(element("p", {class: "panel-head"}, shortLine(one)));
    if (!one.panel) {
      place.append(element("p", {class: "muted"}, "Chart, proof and records are left out: this is not among the worst; more with --report-incidents."));
    } else {
      if (one.panel.chart) incidentChart(one, place);
      else place.append(element("p", {class: "muted"}, data.monitors.some((monitor) => monitor.chart) ? "No chart: no counts were found for this key." : "No chart: the input could be read only once."));
      const causes = [contributors(one.panel), errorTypes(one.panel)].filter(Boolean);
      place.append(element("div", {class: "panel-grid"}, causes.length > 0 ? element("div", {}, ...causes) : null, proof(one.panel)));
    }
    const children = childList(one);
    if (children) place.append(children);
    if (one.panel) place.append(records(one.panel), numbers(one, one.panel));
  };

  // ---- The list.

  let openId = null;
  let limit = pageSize;
  const orders = {
    worst: null,
    onset: (a, b) => a.onset - b.onset,
    excess: (a, b) => b.excess - a.excess,
    lasted: (a, b) => lasted(b) - lasted(a),
  };
  const searchable = (one) => [inner(one), scopeOf(one), one.cause, one.monitor, one.detector, one.severity].join(" ").toLowerCase();
  const chosenRows = () => {
    const words = byName("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = rows.filter((one) => {
      if (words.length === 0) return true;
      const texts = [one, ...(childrenOf.get(one.id) || [])].map(searchable).join("\n");
      return words.every((word) => texts.includes(word));
    });
    const order = orders[byName("order").value];
    return order ? found.sort(order) : found;
  };

  // Where several detectors judge a key, a row says whose it is.
  const manyDetectors = data.monitors.reduce((sum, monitor) => sum + monitor.detectors.length, 0) > 1;
  const rowOf = (one) => {
    const severity = element("td", {class: "severity-cell"}, severityTag(one));
    if (one.shadow) severity.append(tag("shadow"));
    const keyCell = element("td", {class: "key"}, element("a", {href: "#" + one.id, "aria-expanded": "false"}, inner(one)));
    if (one.children > 0) keyCell.append(tag("+ " + plural(one.children, "child", "children")));
    if (one.open) keyCell.append(tag("still open"));
    else if (one.last !== "resolve") keyCell.append(tag(ending(one)));
    const below = [scopeOf(one), manyDetectors ? `${one.monitor}, ${one.detector}` : ""].filter(Boolean);
    if (below.length > 0) keyCell.append(element("span", {class: "of"}, below.join(" \u00b7 ")));
    const row = element("tr", {class: "row", id: one.id}, severity, keyCell,
      element("td", {class: "number rate"}, shownRate(one, one.rate)),
      element("td", {class: "number expected"}, shownRate(one, one.baseline)),
      element("td", {class: "number excess"}, digits(one.excess)),
      element("td", {class: "since"}, element("time", {datetime: new Date(one.onset).toISOString()}, clock(one.onset))),
      element("td", {class: "number lasted"}, span(lasted(one))),
      element("td", {class: "cause"}, one.cause));
    row.addEventListener("click", (event) => {
      event.preventDefault();
      if (openId === one.id) close();
      else location.hash = one.id;
    });
    return row;
  };

  const list = () => {
    const all = chosenRows();
    const body = byName("rows");
    forgetChartsIn(body);
    body.replaceChildren(...all.slice(0, limit).map(rowOf));
    const line = byName("more-line");
    line.replaceChildren();
    if (all.length === 0) line.append(rows.length === 0 ? "There were no incidents." : "No incident has that.");
    if (all.length > limit) {
      const button = element("button", {type: "button"}, `Show ${grouped(Math.min(pageSize, all.length - limit))} more of ${grouped(all.length - limit)}`);
      button.addEventListener("click", () => {
        limit += pageSize;
        list();
      });
      line.append(button);
    }
    byName("list").hidden = all.length === 0;
    const wanted = openId;
    openId = null;
    if (wanted && body.querySelector(`[id="${CSS.escape(wanted)}"]`)) open(wanted);
  };

  const closePanel = () => {
    document.querySelectorAll("tr.panel-row").forEach((row) => {
      forgetChartsIn(row);
      row.remove();
    });
    document.querySelectorAll("tr.row.is-open").forEach((row) => {
      row.classList.remove("is-open");
      row.querySelector("td.key a").setAttribute("aria-expanded", "false");
    });
    openId = null;
  };
  const close = () => {
    closePanel();
    history.replaceState(null, "", location.pathname + location.search);
  };

  const open = (id) => {
    const top = topOf(byId.get(id));
    const row = byName(top.id);
    closePanel();
    const cell = element("td", {class: "panel-cell", colspan: 8});
    row.after(element("tr", {class: "panel-row"}, cell));
    row.classList.add("is-open");
    row.querySelector("td.key a").setAttribute("aria-expanded", "true");
    showPanel(top, cell);
    openId = top.id;
    // A child shows within its parent's panel, and so does a child of a child.
    const path = [];
    for (let one = byId.get(id); one && one !== top && path.length < 20; one = parentOf(one)) path.unshift(one);
    let place = row;
    for (const one of path) {
      place = byName(one.id);
      if (!place) return;
      showPanel(one, place);
    }
    if (path.length > 0) place.scrollIntoView({block: "nearest"});
  };

  const follow = () => {
    const id = location.hash.slice(1);
    if (!byId.has(id)) return;
    const top = topOf(byId.get(id));
    if (!byName(top.id)) {
      byName("find").value = "";
      limit = Math.max(limit, chosenRows().indexOf(top) + 1);
      list();
    }
    open(id);
    const row = byName(top.id);
    if (row.getBoundingClientRect().top < 0 || row.getBoundingClientRect().bottom > innerHeight) row.scrollIntoView({block: "start"});
    row.querySelector("td.key a").focus({preventScroll: true});
  };

  const onKey = (event) => {
    if (event.key === "Escape" && openId) {
      const row = byName(openId);
      close();
      if (row) row.querySelector("td.key a").focus();
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const row = event.target.closest ? event.target.closest("tr.row") : null;
    if (!row) return;
    const all = [...document.querySelectorAll("tr.row")];
    const next = all[all.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) next.querySelector("td.key a").focus();
    event.preventDefault();
  };

  noteScreen();
  fill();
  overview();
  list();
  follow();
  byName("find").addEventListener("input", list);
  byName("order").addEventListener("change", list);
  byName("controls").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", follow);
  document.addEventListener("keydown", onKey);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
  addEventListener("resize", noteScreen);
  document.documentElement.dataset.ready = "true";
})();
