"use strict";
// Draws the page's plots over its pictures. Hovering names a trial, the legend switches types off, and a click on a
// mark or a line shows that trial's curve. Text from the database is only ever text: `plain` hides what plotly takes
// for markup, and `textContent` is used for the rest.
(function () {
  const data = JSON.parse(document.getElementById("study").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const plain = (text) => text.replace(/</g, "‹").replace(/>/g, "›");
  const number = (value) => (value === null ? "–" : String(Number(value.toPrecision(4))));
  const byNumber = new Map(data.trials.map((trial) => [trial.number, trial]));
  const of = (place) => data.trials.filter((trial) => trial.type === place);
  const phone = () => document.documentElement.clientWidth < 600;
  // Of a colour that is seen on the dark page, three times as bright as that.
  const DARKEST = 0.13;
  const plots = {};
  let chosen = null;

  function colours() {
    return dark.matches
      ? { paper: "#16181c", text: "#e4e4e4", grid: "#33373d", black: "#f2f2f2" }
      : { paper: "#ffffff", text: "#1b1b1b", grid: "#e3e3e3", black: "#000000" };
  }

  function colour(type) {
    if (type.colour === "#000000") return colours().black;
    if (!dark.matches || luminance(channels(type.colour)) >= DARKEST) return type.colour;
    // Half way to white: the types keep their hues, which tell them apart.
    return "#" + channels(type.colour).map((part) => Math.round((part + 255) / 2).toString(16)).join("");
  }

  function channels(hex) {
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  }

  function luminance(parts) {
    // Relative, as the Web Content Accessibility Guidelines define it.
    const linear = parts.map((part) => part / 255).map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  }

  function ticks(form) {
    // Plain numbers: plotly's own are powers of ten with small digits between them.
    if (form.type !== "log") return form;
    const [low, high] = form.range;
    const steps = high - low < 0.7 ? [1, 1.5, 2, 3, 4, 5, 7] : high - low < 1.2 ? [1, 2, 3, 5, 7]
      : high - low < 2.5 ? [1, 2, 5] : [1];
    const values = [];
    for (let power = Math.floor(low); power <= high; power += 1)
      values.push(...steps.map((step) => Number((step * 10 ** power).toPrecision(3))));
    return Object.assign({ tickvals: values, ticktext: values.map(String) }, form);
  }

  function axis(title, more) {
    return Object.assign({ title: { text: plain(title), standoff: 8 }, gridcolor: colours().grid, zeroline: false,
      automargin: true }, ticks(more));
  }

  function layout(more) {
    return Object.assign({ paper_bgcolor: colours().paper, plot_bgcolor: colours().paper, hovermode: "closest",
      font: { color: colours().text, size: 12 }, margin: { l: 56, r: 12, t: 30, b: 48 },
      legend: { orientation: "h", y: -0.2, yanchor: "top" } }, more);
  }

  function ends({ type, range }) {
    // Of an axis, as numbers.
    return type === "log" ? range.map((end) => 10 ** end) : range;
  }

  function lies(trial, key) {
    // Where a trial's mark is: inside, beyond an edge, along the top because it diverged, or nowhere.
    const [low, high] = ends(data.rates[key]);
    if (trial.lr === null) return "nowhere";
    if (trial.state === "diverged") return key === "end" || trial.lost ? "lost" : "nowhere";
    if (trial[key] === null) return "nowhere";
    return trial[key] > high ? "above" : trial[key] < low ? "below" : "inside";
  }

  function marks(place, key, column) {
    const type = data.types[place];
    const rank = (trial) => (lies(trial, key) !== "inside" ? 2 : trial.state === "complete" ? 0 : 1);
    // The legend takes the first mark: one that came to the end, if there is any.
    const shown = of(place).filter((trial) => lies(trial, key) !== "nowhere").sort((a, b) => rank(a) - rank(b));
    const [low, high] = ends(data.rates[key]);
    const level = { inside: (trial) => trial[key], above: () => high, below: () => low, lost: () => high };
    const form = { above: "arrow-up", below: "arrow-down", lost: "x-thin-open" };
    const symbol = (trial) => form[lies(trial, key)] || type.symbol + (trial.state === "complete" ? "" : "-open");
    return { type: "scatter", mode: "markers", name: plain(type.name), legendgroup: type.name,
      showlegend: column === 1, xaxis: column === 1 ? "x" : "x2", yaxis: column === 1 ? "y" : "y2",
      x: shown.map((trial) => trial.lr), y: shown.map((trial) => level[lies(trial, key)](trial)), cliponaxis: false,
      customdata: shown.map((trial) => trial.number), text: shown.map(about), hovertemplate: "%{text}<extra></extra>",
      marker: { color: colour(type), size: 8, symbol: shown.map(symbol) } };
  }

  function about(trial) {
    const end = trial.end === null ? trial.state : number(trial.end);
    return plain(`trial ${trial.number}: ${trial.about}: ${end}`);
  }

  function rates() {
    const two = data.rung !== null;
    const stacked = two && phone();
    const traces = [];
    data.types.forEach((_, place) => {
      if (two) traces.push(marks(place, "early", 1));
      traces.push(marks(place, "end", two ? 2 : 1));
    });
    traces.push(confirmed(two ? 2 : 1));
    const value = (key) => Object.assign({}, data.rates[key]);
    // Below the plot: as a share of its height, which is twice as large where panels stand below each other.
    const legend = { orientation: "h", y: stacked ? -0.1 : -0.2, yanchor: "top" };
    const more = { height: stacked ? 760 : 470, legend,
      xaxis: axis("initial learning rate", Object.assign({ domain: two && !stacked ? [0, 0.48] : [0, 1] }, data.lrs)),
      yaxis: axis(data.value, Object.assign({ domain: stacked ? [0.56, 1] : [0, 1] }, value(two ? "early" : "end"))) };
    if (two) {
      more.xaxis2 = axis("initial learning rate", Object.assign({ anchor: "y2", matches: "x",
        domain: stacked ? [0, 1] : [0.54, 1] }, data.lrs));
      more.yaxis2 = axis(stacked ? data.value : "", Object.assign({ anchor: "x2",
        domain: stacked ? [0, 0.42] : [0, 1] }, data.rates.same ? { matches: "y" } : {}, value("end")));
      more.annotations = [[`after ${data.unit} ${data.rung}`, 0, 1], ["at the end", stacked ? 0 : 0.54, stacked ? 0.42 : 1]]
        .map(([text, x, y]) => ({ text, x, y, xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom",
          showarrow: false }));
    }
    return [traces, layout(more)];
  }

  function confirmed(column) {
    const shown = data.confirmed;
    return { type: "scatter", mode: "markers", name: "mean on fresh seeds, 95 % interval", showlegend: shown.length > 0,
      xaxis: column === 1 ? "x" : "x2", yaxis: column === 1 ? "y" : "y2",
      x: shown.map((one) => one.lr), y: shown.map((one) => one.mean),
      text: shown.map((one) => plain(`${one.about}: ${number(one.mean)} (${number(one.low)} to ${number(one.high)})`)),
      hovertemplate: "%{text}<extra></extra>", marker: { color: colours().black, symbol: "line-ew-open", size: 12 },
      error_y: { type: "data", symmetric: false, color: colours().black, width: 0,
        array: shown.map((one) => one.high - one.mean), arrayminus: shown.map((one) => one.mean - one.low) } };
  }

  function line(place) {
    // One trace per type, with a gap after each trial: a trace per trial would be slow.
    const type = data.types[place];
    const trace = { type: "scatter", mode: "lines", name: plain(type.name), x: [], y: [], customdata: [], text: [],
      hovertemplate: "%{text}<br>" + data.unit + " %{x}: %{y}<extra></extra>", connectgaps: false,
      line: { color: colour(type), width: 1, dash: type.dash }, opacity: 0.55 };
    for (const trial of of(place)) {
      const words = about(trial);
      trial.curve[0].forEach((epoch, step) => {
        trace.x.push(epoch);
        trace.y.push(trial.curve[1][step]);
        trace.customdata.push(trial.number);
        trace.text.push(words);
      });
      trace.x.push(null);
      trace.y.push(null);
      trace.customdata.push(null);
      trace.text.push("");
    }
    return trace;
  }

  function strong(trial, name) {
    return { type: "scatter", mode: "lines", name: plain(name), x: trial.curve[0], y: trial.curve[1],
      hoverinfo: "skip", line: { color: colours().black, width: 3 } };
  }

  function ring([epoch, value]) {
    return { type: "scatter", mode: "markers", name: `${data.unit} kept`, x: [epoch], y: [value],
      hoverinfo: "skip", marker: { symbol: "circle-open", size: 11, color: colours().black, line: { width: 2 } } };
  }

  function curves() {
    const traces = data.types.map((_, place) => line(place));
    const shown = chosen === null ? byNumber.get(data.best[0]) : byNumber.get(chosen);
    if (shown) traces.push(strong(shown, `trial ${shown.number}`));
    if (shown && shown.kept) traces.push(ring(shown.kept));
    const more = { height: phone() ? 460 : 520, xaxis: axis(data.unit, {}), yaxis: axis(data.value, data.curves) };
    return [traces, layout(more)];
  }

  function choose(event) {
    const found = event.points.find((point) => point.customdata !== null && point.customdata !== undefined);
    if (!found) return;
    chosen = found.customdata;
    draw("learning_curves.png");
  }

  const makers = { "lr_against_value.png": rates, "learning_curves.png": curves };

  function draw(file) {
    const plot = plots[file];
    if (!plot) return;
    const [traces, form] = makers[file]();
    Plotly.react(plot.graph, traces, form, { responsive: true, displayModeBar: false }).then(() => {
      plot.picture.hidden = true;
      if (plot.reading) plot.reading.hidden = true;
      plot.said.textContent = said(file);
      if (!plot.listens) plot.graph.on("plotly_click", choose);
      plot.listens = true;
    });
  }

  function said(file) {
    const left = data.left_out ? ` ${data.left_out} further trials are left out of the plot.` : "";
    if (file === "lr_against_value.png") {
      const keys = data.rung === null ? ["end"] : ["early", "end"];
      const out = (trial) => keys.filter((key) => ["above", "below"].includes(lies(trial, key))).length;
      const beyond = data.trials.reduce((sum, trial) => sum + out(trial), 0);
      const arrows = beyond ? ` Arrows at the edge of the plot lie beyond it (${beyond}).` : "";
      const click = plots["learning_curves.png"] ? "Click on a mark to see that trial's curve below." : "";
      return `${click}${arrows}${left}`.trim();
    }
    const shown = chosen === null ? byNumber.get(data.best[0]) : byNumber.get(chosen);
    const [low, high] = ends(data.curves);
    const leaves = data.trials.some((trial) =>
      trial.curve[1].some((level) => level !== null && (level > high || level < low)));
    const far = leaves ? " What leaves the plot is far worse than the rest." : "";
    const thick = shown ? `The thick line is ${about(shown)}. ` : "";
    return `${thick}Click on a line, or on a mark above, to follow another trial.${far}${left}`;
  }

  for (const picture of document.querySelectorAll("[data-plot]")) {
    const [graph, caption] = [document.createElement("div"), document.createElement("p")];
    caption.className = "said";
    picture.after(graph, caption);
    // The text below the picture of the curves speaks of its panels, which the plot does not have.
    const reading = picture.dataset.plot === "learning_curves.png" ? picture.closest("p").nextElementSibling : null;
    plots[picture.dataset.plot] = { picture, graph, reading, said: caption, listens: false };
  }
  const all = () => Object.keys(plots).forEach(draw);
  all();
  dark.addEventListener("change", all);
  let narrow = phone();
  window.addEventListener("resize", () => {
    if (phone() !== narrow) {
      narrow = phone();
      all();
    }
  });
})();
