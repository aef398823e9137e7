// What was sold by week, and the forecast as a line with its 80 and 95 bands.
import { axis, compact, dayOf, legend, longDayOf, units } from "../stage.js";

export function option(data, palette, { width }) {
  const weeks = [...data.history.map((point) => point.week), ...data.forecast.map((point) => point.week)];
  const gap = data.history.map(() => null);
  const last = data.history.at(-1);
  // The forecast line starts at the last week sold, so that the picture has no hole.
  const start = gap.map((_, index) => (last && index === gap.length - 1 ? last.units : null));
  const ahead = (name) => [...gap, ...data.forecast.map((point) => point[name])];
  const band = (low, high) => [...gap, ...data.forecast.map((point) => point[high] - point[low])];
  const hidden = { type: "line", symbol: "none", lineStyle: { opacity: 0 }, silent: true, tooltip: { show: false } };
  const area = (stack, name, low, high, opacity) => [
    { ...hidden, name: `${stack}-low`, stack, data: ahead(low) },
    { ...hidden, name, stack, data: band(low, high), itemStyle: { color: palette.stream, opacity },
      areaStyle: { color: palette.stream, opacity } },
  ];
  const { words } = data;
  const festive = (week) => data.festivals.filter((one) => one.week === week);
  const named = (week) => festive(week).map((one) => `\n${one.text}`).join("");
  const marks = (kind, symbol, color) => ({
    name: words[kind], type: "scatter", symbol, symbolSize: 9, silent: true, itemStyle: { color },
    data: weeks.filter((week) => festive(week).some((one) => one.kind === kind))
      .map((week) => ({ value: [week, 0], symbolOffset: [0, kind === "holiday" ? -12 : 0] })),
  });
  return {
    grid: { left: 12, right: 18, top: width < 520 ? 60 : 40, bottom: 8, containLabel: true },
    legend: legend(palette, { data: [words.sold, words.forecast, words.band80, words.band95,
      ...["promotion", "holiday"].filter((kind) => data.festivals.some((one) => one.kind === kind))
        .map((kind) => words[kind])] }),
    tooltip: {
      trigger: "axis",
      axisPointer: { lineStyle: { color: palette.quiet, type: "dashed" } },
      formatter: (items) => {
        const index = items[0].dataIndex;
        const point = data.forecast[index - data.history.length];
        if (!point) return `${longDayOf(weeks[index])}\n${words.sold}: ${units(data.history[index].units)}${named(weeks[index])}`;
        return [
          longDayOf(point.week),
          `${words.forecast}: ${units(point.mean)}`,
          `${words.band80}: ${units(point.lo_80)} – ${units(point.hi_80)}`,
          `${words.band95}: ${units(point.lo_95)} – ${units(point.hi_95)}`,
        ].join("\n") + named(point.week);
      },
    },
    xAxis: axis(palette, { type: "category", data: weeks, boundaryGap: false, splitLine: { show: false },
      axisLabel: { color: palette.quiet, fontSize: 11.5, hideOverlap: true, formatter: dayOf } }),
    yAxis: axis(palette, { type: "value", axisLine: { show: false },
      axisLabel: { color: palette.quiet, fontSize: 11.5, formatter: compact } }),
    series: [
      ...area("wide", words.band95, "lo_95", "hi_95", 0.18),
      ...area("narrow", words.band80, "lo_80", "hi_80", 0.3),
      { name: words.sold, type: "line", symbol: "none", data: data.history.map((point) => point.units),
        lineStyle: { color: palette.text, width: 1.75 }, itemStyle: { color: palette.text } },
      { name: words.forecast, type: "line", symbol: "circle", symbolSize: 5, showSymbol: true,
        data: [...start.map((value) => (value === null ? null : { value, symbol: "none" })),
          ...data.forecast.map((point) => point.mean)],
        lineStyle: { color: palette.river, width: 2.25 }, itemStyle: { color: palette.river } },
      marks("promotion", "triangle", palette.warn),
      marks("holiday", "diamond", palette.good),
    ],
  };
}
