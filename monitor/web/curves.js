// Replaces each curve the server has drawn by uPlot, which can be zoomed and read point by point. Nothing else needs it.
"use strict";
(function () {
  const root = getComputedStyle(document.documentElement);
  const body = getComputedStyle(document.body);
  const colour = (name) => (body.getPropertyValue(name) || root.getPropertyValue(name)).trim();
  const english = document.documentElement.lang === "en";
  const format = new Intl.NumberFormat(english ? "en" : "fr", { maximumFractionDigits: 2 });

  function draw(figure, found) {
    const unit = found.unit;
    const shown = (u, value) => (value == null ? "–" : `${format.format(value)} ${unit}`);
    const box = figure.querySelector(".drawing");
    const width = box.clientWidth;
    const when = (at, form) => new Date(at * 1000).toLocaleString(english ? "en-GB" : "fr-FR", form);
    const clock = { hour: "2-digit", minute: "2-digit" };
    const day = { day: "2-digit", month: "2-digit" };
    const times = { values: (u, ticks, a, b, step) => ticks.map((at) => when(at, step < 86400 ? clock : day)) };
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 } };
    const options = {
      width,
      height: 190,
      cursor: { drag: { x: true, y: false } },
      scales: { y: { range: figure.dataset.zero ? (u, low, high) => [0, high > 0 ? high * 1.05 : 1] : undefined } },
      axes: [Object.assign(times, axis), Object.assign({ size: 56, values: (u, ticks) => ticks.map((tick) => format.format(tick)) }, axis)],
      bands: [{ series: [3, 1], fill: colour("--band") }],
      series: [
        { label: figure.dataset.when, value: (u, at) => (at == null ? "–" : when(at)) },
        { label: figure.dataset.low, stroke: colour("--soft"), width: 1, value: shown },
        { label: figure.dataset.middle, stroke: colour("--focus"), width: 2, value: shown },
        { label: figure.dataset.high, stroke: colour("--soft"), width: 1, value: shown },
      ],
    };
    box.textContent = "";
    const plot = new uPlot(options, [found.at, found.low, found.middle, found.high], box);
    new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: 190 })).observe(box);
  }

  for (const figure of document.querySelectorAll("figure[data-series]")) {
    const query = new URLSearchParams({ series: figure.dataset.series, span: figure.dataset.span });
    fetch(`/history.json?${query}`)
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.status))))
      .then((found) => found.at.length && draw(figure, found))
      .catch(() => {}); // the server's drawing stays
  }
})();
