// One place that puts an ECharts option on the screen: size, theme, language, tooltips that need no inline style.
const echarts = await import(document.querySelector("script[data-echarts]").dataset.echarts);

const language = document.documentElement.lang;
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
const shown = new Map();

export const units = (value) => (value === null || value === undefined ? "–" : whole.format(value));
export const compact = (value) => (Math.abs(value) < 10000 ? whole.format(value) : short.format(value));

const monthDay = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", timeZone: "UTC" });
const fullDay = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
export const dayOf = (text) => monthDay.format(new Date(text));
export const longDayOf = (text) => fullDay.format(new Date(text));

const LIGHT = {
  text: "#1b2832", quiet: "#55636f", line: "#dfe5ea", ground: "#ffffff",
  river: "#0b6a90", stream: "#52b5d9", good: "#2f8f5b", warn: "#c98a1b", bad: "#c6473f", stone: "#8fa3b0",
};
const DARK = {
  text: "#dfe7ec", quiet: "#9fb0bd", line: "#263743", ground: "#15222c",
  river: "#52b5d9", stream: "#2c8fb8", good: "#55b37e", warn: "#e0a94b", bad: "#e2685f", stone: "#6f8592",
};
// Twelve muted hues that stay apart for the common kinds of colour blindness when next to each other.
export const SERIES = [
  "#2a7da3", "#d9963a", "#4fa08a", "#8577b8", "#c76b62", "#7d9a4a", "#4f86d1", "#b0719a", "#96875f", "#5bb3c9",
  "#b8933a", "#748592",
];

export function colours() {
  const dark = document.documentElement.dataset.bsTheme === "dark";
  return { ...(dark ? DARK : LIGHT), dark, series: SERIES };
}

function base(palette) {
  const family = getComputedStyle(document.body).fontFamily;
  return {
    animationDuration: 350,
    animationDurationUpdate: 0,
    useUTC: true,
    textStyle: { fontFamily: family, color: palette.text },
    tooltip: {
      renderMode: "richText",
      confine: true,
      backgroundColor: palette.ground,
      borderColor: palette.line,
      borderWidth: 1,
      padding: [8, 12],
      textStyle: { color: palette.text, fontFamily: family, fontSize: 12.5 },
    },
  };
}

// Not by a duration of nothing: a picture that is unveiled would keep its veil.
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

const ruler = document.createElement("canvas").getContext("2d");

/** Break a name into at most `lines` lines of `room` pixels, at blanks, after hyphens or between Chinese characters. */
export function wrap(text, room, size, lines = 2) {
  ruler.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  const fits = (part) => ruler.measureText(part).width <= room;
  const shortened = (row, end = "") => {
    if (fits(row + end)) return row + end;
    while (row && !fits(`${row}…`)) row = row.slice(0, -1);
    return `${row}…`;
  };
  const parts = text.match(/[\u2e80-\u9fff\uff00-\uffef]|[^\s\u2e80-\u9fff\uff00-\uffef-]*-\s*|[^\s\u2e80-\u9fff\uff00-\uffef-]+\s*/g) || [text];
  const rows = [""];
  for (const part of parts) {
    const longer = rows.at(-1) + part;
    if (fits(longer.trimEnd()) || !rows.at(-1)) rows[rows.length - 1] = longer;
    else rows.push(part);
  }
  return rows.slice(0, lines).map((row, at) => shortened(row.trimEnd(), at === lines - 1 && rows.length > lines ? "…" : ""));
}

export function axis(palette, more = {}) {
  return {
    axisLine: { lineStyle: { color: palette.line } },
    axisTick: { show: false },
    axisLabel: { color: palette.quiet, fontSize: 11.5, hideOverlap: true },
    splitLine: { lineStyle: { color: palette.line, opacity: 0.7 } },
    ...more,
  };
}

export function legend(palette, more = {}) {
  return {
    top: 0, right: 8, icon: "roundRect", itemWidth: 12, itemHeight: 8, itemGap: 14,
    textStyle: { color: palette.quiet, fontSize: 12 }, inactiveColor: palette.line, ...more,
  };
}

export function draw(figure, kind) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const canvas = document.createElement("div");
  canvas.className = "chart-canvas";
  figure.append(canvas);
  const chart = echarts.init(canvas, null, { renderer: "canvas" });
  const paint = (first) => {
    const palette = colours();
    const option = kind.option(data, palette, { width: canvas.clientWidth });
    const setting = base(palette);
    chart.clear(); // another width may mean another shape: nothing of the old one may linger
    chart.setOption({ ...setting, animation: first === true && !still, ...option, tooltip: { ...setting.tooltip, ...option.tooltip } }, true);
  };
  paint(true);
  let width = canvas.clientWidth;
  const watch = new ResizeObserver(() => {
    if (!figure.isConnected) return;
    chart.resize();
    if (Math.abs(canvas.clientWidth - width) > 40) {
      width = canvas.clientWidth;
      paint();
    }
  });
  watch.observe(canvas);
  shown.set(figure, { chart, paint, watch });
  figure.classList.add("ready");
  forgetRemoved();
}

function forgetRemoved() {
  for (const [figure, { chart, watch }] of shown) {
    if (figure.isConnected) continue;
    watch.disconnect();
    chart.dispose();
    shown.delete(figure);
  }
}

document.addEventListener("headwater:theme", () => {
  for (const { paint } of shown.values()) paint();
});
