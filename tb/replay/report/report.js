"use strict";
// What stands under the pointer of a chart. Everything else on the page works without this.
for (const plot of document.querySelectorAll(".plot[data-values]")) {
  let at = Number(plot.dataset.start) / 60000;
  const times = plot.dataset.steps.split(",").map((step) => (at += Number(step)));
  const values = plot.dataset.values.split(",").map(Number);
  const first = Number(document.body.dataset.first) / 60000;
  const last = Number(document.body.dataset.last) / 60000;
  const cross = document.createElementNS("http://www.w3.org/2000/svg", "line");
  cross.setAttribute("class", "cross");
  cross.setAttribute("y2", "100%");
  const readout = document.createElement("div");
  readout.className = "readout";
  const nearest = (time) => {
    let low = 0, high = times.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle; else high = middle;
    }
    return time - times[low] < times[high] - time ? low : high;
  };
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const index = nearest(first + ((event.clientX - box.left) / box.width) * (last - first));
    const x = (100 * (times[index] - first)) / (last - first || 1) + "%";
    cross.setAttribute("x1", x);
    cross.setAttribute("x2", x);
    const when = new Date(times[index] * 60000).toISOString().slice(0, 16).replace("T", " ");
    const shown = values[index].toLocaleString("en-US", { maximumSignificantDigits: 7 });
    readout.textContent = when + "   " + shown + " " + plot.dataset.unit;
    plot.append(cross);
    plot.parentNode.append(readout);
  });
  plot.addEventListener("pointerleave", () => {
    cross.remove();
    readout.remove();
  });
}
