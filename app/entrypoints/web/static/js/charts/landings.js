// What a campaign's landing was seen as from day to day, against its go line.
import { axis, compact, dayOf, legend, longDayOf, units } from "../stage.js";

export function option(data, palette, { width }) {
  const { words, days } = data;
  const hidden = { type: "line", symbol: "none", lineStyle: { opacity: 0 }, silent: true };
  const area = (stack, name, low, high, opacity) => [
    { ...hidden, name: `${stack}-low`, stack, data: days.map((day) => day[low]) },
    { ...hidden, name, stack, data: days.map((day) => day[high] - day[low]),
      itemStyle: { color: palette.stream, opacity }, areaStyle: { color: palette.stream, opacity } },
  ];
  // Its label keeps out of the way of the last landing, which ends at the same side.
  const below = days.at(-1).mean < data.go.units;
  const go = { yAxis: data.go.units, lineStyle: { color: palette.good, type: "solid", width: 2 },
    label: { formatter: data.go.label, color: palette.good, fontSize: 11.5,
      position: below ? "insideEndTop" : "insideEndBottom" } };
  const highest = Math.max(data.go.units, ...days.map((day) => day.hi_95), 1);
  return {
    grid: { left: 12, right: 20, top: width < 520 ? 60 : 40, bottom: 8, containLabel: true },
    legend: legend(palette, { data: [words.units, words.landing, words.band80, words.band95] }),
    tooltip: {
      trigger: "axis",
      formatter: (items) => {
        const day = days[items[0].dataIndex];
        return [
          longDayOf(day.day),
          `${words.units}: ${units(day.units)}`,
          `${words.landing}: ${units(day.mean)}`,
          `${words.band80}: ${units(day.lo_80)} – ${units(day.hi_80)}`,
          `${words.band95}: ${units(day.lo_95)} – ${units(day.hi_95)}`,
        ].join("\n");
      },
    },
    xAxis: axis(palette, { type: "category", data: days.map((day) => day.day), boundaryGap: false,
      splitLine: { show: false },
      axisLabel: { color: palette.quiet, fontSize: 11.5, hideOverlap: true, formatter: dayOf } }),
    yAxis: axis(palette, { type: "value", max: Math.ceil(highest * 1.08), axisLine: { show: false },
      axisLabel: { color: palette.quiet, fontSize: 11.5, formatter: compact, showMaxLabel: false } }),
    series: [
      ...area("wide", words.band95, "lo_95", "hi_95", 0.18),
      ...area("narrow", words.band80, "lo_80", "hi_80", 0.3),
      { name: words.units, type: "line", symbol: "none", data: days.map((day) => day.units),
        lineStyle: { color: palette.text, width: 1.75 }, itemStyle: { color: palette.text } },
      { name: words.landing, type: "line", symbol: "circle", symbolSize: 5, data: days.map((day) => day.mean),
        lineStyle: { color: palette.river, width: 2.25 }, itemStyle: { color: palette.river },
        markLine: { symbol: "none", silent: true, data: [go] } },
    ],
  };
}
