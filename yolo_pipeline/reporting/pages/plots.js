// Line plots by Plotly in the page's own colours, drawn when they are nearly in sight.
// plotLines(id, traces, options): a plot in the element of that id.
//   traces: [{name, x, y, colour?, dash?, markers?, fill?, second?, hidden?, legend?, text?, opacity?, group?, join?}];
//     y may hold null: a gap, or with join nothing. group: traces of one group are switched off together.
//     colour: number of a colour, or the name of a CSS variable ("--muted"); else the traces' order decides.
//     second: on the axis at the right; legend: false leaves it out of the legend; text: a hover text for each point.
//   options: {title, x, y, yrange, xrange, y2, y2range, height, marks: [{x, text, colour?}], log?: ["x"|"y"]}
"use strict";

const PLOT_COLOURS = 10;  // --c0 to --c9 in style.css
const _waiting = new Map(), _drawn = new Map();
const _near = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) _draw(entry.target);
}, { rootMargin: "400px" });

function plotLines(id, traces, options = {}) {
  const place = document.getElementById(id);
  if (!place) return;
  _waiting.set(place, { traces, options });
  place.classList.add("plot");
  place.style.minHeight = `${_height(place, traces, options)}px`;  // so that nothing jumps when it is drawn
  place.setAttribute("role", "figure");
  place.setAttribute("aria-label", options.title || options.y || "");
  _near.observe(place);
}

// Moves the marks of a plot, drawn or not yet.
function markPlot(id, marks) {
  const place = document.getElementById(id), plot = place && (_drawn.get(place) || _waiting.get(place));
  if (!plot) return;
  plot.options = { ...plot.options, marks };
  if (_drawn.has(place)) Plotly.relayout(place, _marks(marks));
}

// The library lies in the page gzipped. It is run when it is first needed, or once the page is open and idle.
let _running = null;
function _library() {
  _running ??= (async () => {
    const place = document.getElementById("plotly"), script = document.createElement("script");
    const packed = Uint8Array.from(atob(place.textContent), (sign) => sign.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    script.textContent = await new Response(stream).text();
    place.remove();
    document.head.append(script);
  })();
  return _running;
}
addEventListener("load", () => (window.requestIdleCallback || setTimeout)(_library));

async function _draw(place) {
  _near.unobserve(place);
  if (!window.Plotly) await _library();
  const plot = _waiting.get(place);
  if (!plot) return;  // another call drew it meanwhile
  _waiting.delete(place);
  _drawn.set(place, plot);
  const config = {
    displayModeBar: _touch() ? false : "hover", displaylogo: false, responsive: true, showLink: false, showSendToCloud: false, plotlyServerURL: "",
    modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"],
  };
  Plotly.newPlot(place, _traces(plot.traces), _layout(place, plot), config);
}

function _repaint() {
  for (const [place, plot] of _drawn) {
    const seen = (place.data || []).map((trace) => trace.visible);
    const traces = _traces(plot.traces).map((trace, at) => ({ ...trace, visible: seen[at] ?? trace.visible }));
    Plotly.react(place, traces, _layout(place, plot));
  }
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", _repaint);
addEventListener("beforeprint", () => { for (const place of [..._waiting.keys()]) _draw(place); });

// Where fingers do the pointing, a drag scrolls the page.
function _touch() {
  return matchMedia("(hover: none) and (pointer: coarse)").matches;
}

function cssColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function _colour(colour, at) {
  return typeof colour === "string" ? cssColour(colour) : cssColour(`--c${(colour ?? at) % PLOT_COLOURS}`);
}

// Plotly takes names for a little HTML: a name of strangers is shown as it is.
function plainText(text) {
  return String(text ?? "").replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function _traces(traces) {
  return traces.map((trace, at) => {
    const colour = _colour(trace.colour, at);
    return {
      type: "scatter", mode: trace.markers === "only" ? "markers" : trace.markers ? "lines+markers" : "lines",
      name: plainText(trace.name), x: trace.x, y: trace.y, connectgaps: trace.join === true,
      line: { color: colour, width: trace.width ?? 2, dash: trace.dash || "solid" },
      marker: { color: colour, size: trace.size ?? 7 },
      opacity: trace.opacity ?? 1, ...(trace.group ? { legendgroup: trace.group } : {}),
      fill: trace.fill ? "tozeroy" : "none", yaxis: trace.second ? "y2" : "y",
      showlegend: trace.legend !== false, visible: trace.hidden ? "legendonly" : true,
      ...(trace.text ? { text: trace.text.map(plainText), hoverinfo: "text+name" } : {}),
      hoverinfo: trace.hover === false ? "skip" : trace.text ? "text" : "x+y+name",
    };
  });
}

function _layout(place, { traces, options }) {
  const [ink, muted, line, paper] = ["--ink", "--muted", "--line", "--paper"].map(cssColour);
  const font = { family: getComputedStyle(document.body).fontFamily, color: ink, size: 13 };
  const axis = {
    gridcolor: line, linecolor: line, zerolinecolor: line, tickfont: { color: muted, size: 12 },
    automargin: true, hoverformat: ".4~g",
  };
  const label = (text) => ({ text: plainText(text), standoff: 8, font: { color: muted, size: 12 } });
  const log = options.log || [];
  const layout = {
    title: { text: plainText(options.title), x: 0, xref: "container", xanchor: "left", pad: { l: 4 }, y: 0.98, yanchor: "top",
      font: { size: 15, weight: 600 } },
    font, paper_bgcolor: "transparent", plot_bgcolor: "transparent", height: _height(place, traces, options),
    margin: { l: 50, r: options.y2 ? 50 : 12, t: options.title ? 44 : 16, b: 40 },
    hovermode: options.hovermode || "x unified", dragmode: _touch() ? false : "zoom",
    hoverlabel: { bgcolor: paper, bordercolor: line, font: { ...font, size: 12 }, namelength: 40 },
    legend: { orientation: "h", x: 0, y: -0.2, yanchor: "top", yref: "paper", font: { size: 12, color: ink } },
    modebar: { bgcolor: "transparent", color: muted, activecolor: ink },
    xaxis: { ...axis, title: label(options.x), range: options.xrange, zeroline: false, ...(log.includes("x") ? { type: "log" } : {}) },
    yaxis: { ...axis, title: label(options.y), range: options.yrange, ...(log.includes("y") ? { type: "log" } : {}) },
    showlegend: traces.filter((trace) => trace.legend !== false).length > 1,
    ..._marks(options.marks || []),
  };
  if (options.yrange === undefined && !log.includes("y")) layout.yaxis.rangemode = "tozero";
  if (options.y2) {
    layout.yaxis2 = { ...axis, title: label(options.y2), range: options.y2range, overlaying: "y", side: "right", tickmode: "auto",
      showgrid: false, rangemode: "tozero" };
  }
  return layout;
}

function _marks(marks) {
  return {
    shapes: marks.map((mark) => ({ type: "line", x0: mark.x, x1: mark.x, y0: 0, y1: 1, yref: "paper",
      line: { color: _colour(mark.colour || "--muted"), width: 1.5, dash: "dot" } })),
    annotations: marks.filter((mark) => mark.text).map((mark) => ({ x: mark.x, y: 1, yref: "paper", yanchor: "bottom",
      text: plainText(mark.text), showarrow: false, font: { size: 12, color: _colour(mark.colour || "--muted") } })),
  };
}

// Room for the plot and, below it, for the rows of its legend.
function _height(place, traces, options) {
  const named = traces.filter((trace) => trace.legend !== false);
  const width = Math.max(200, place.clientWidth - 70);
  const longest = Math.max(0, ...named.map((trace) => Math.min(40, String(trace.name ?? "").length)));
  const columns = Math.max(1, Math.floor(width / (longest * 7.5 + 50)));
  const rows = named.length > 1 ? Math.ceil(named.length / columns) : 0;
  return (options.height || 320) + rows * 20;
}
