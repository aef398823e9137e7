// A campaign's pledges so far and where they land, against the go line and what was expected, until it closes.
import { axis, compact, dayOf, legend, longDayOf, units } from "../stage.js";

export function option(data, palette, { width }) {
  const { words } = data;
  const at = (day) => Date.parse(day); // an ISO day is midnight UTC, and the chart counts in UTC
  const line = (mark, colour, type, width_) => ({
    yAxis: mark.units,
    lineStyle: { color: colour, type, width: width_ },
    label: { formatter: `${mark.label}`, color: colour, position: "insideStartTop", fontSize: 11.5 },
  });
  const marks = data.marks.map((mark) =>
    mark.kind === "go" ? line(mark, palette.good, "solid", 2) : line(mark, palette.quiet, "dashed", 1));
  if (data.today) {
    marks.push({ xAxis: at(data.today), lineStyle: { color: palette.quiet, type: "dotted" },
      label: { formatter: words.today, color: palette.quiet, fontSize: 11.5 } });
  }
  const { landing } = data;
  const hidden = { type: "line", symbol: "none", lineStyle: { opacity: 0 }, silent: true };
  // From where it stands this morning to the close: a band is what lies between two lines on one stack.
  const ahead = (now, then) => [[at(landing.day), now], [at(data.closes), then]];
  const area = (stack, name, low, high, opacity) => [
    { ...hidden, name: `${stack}-low`, stack, data: ahead(landing.units, landing[low]) },
    { ...hidden, name, stack, data: ahead(0, landing[high] - landing[low]),
      itemStyle: { color: palette.stream, opacity }, areaStyle: { color: palette.stream, opacity } },
  ];
  const coming = landing ? [
    ...area("wide", words.band95, "lo_95", "hi_95", 0.18),
    ...area("narrow", words.band80, "lo_80", "hi_80", 0.3),
    { name: words.landing, type: "line", symbol: "circle", symbolSize: 5, silent: true,
      data: ahead(landing.units, landing.mean), itemStyle: { color: palette.river },
      lineStyle: { color: palette.river, width: 2, type: "dashed" } },
  ] : [];
  const spoken = () => [
    `${words.landing}: ${units(landing.mean)}`,
    `${words.band80}: ${units(landing.lo_80)} – ${units(landing.hi_80)}`,
    `${words.band95}: ${units(landing.lo_95)} – ${units(landing.hi_95)}`,
  ].join("\n");
  const highest = Math.max(...(landing ? [landing.hi_95] : []), ...data.marks.map((mark) => mark.units), ...data.points.map((point) => point[1]), 1);
  return {
    grid: { left: 12, right: 20, top: landing && width < 520 ? 60 : 40, bottom: 8, containLabel: true },
    legend: legend(palette, { data: [words.total, words.daily, ...(landing ? [words.landing, words.band80, words.band95] : [])] }),
    tooltip: {
      trigger: "axis",
      formatter: (items) => {
        const past = items.find((item) => item.seriesName === words.daily);
        if (!past) return spoken();
        const [day, total, daily] = data.points[past.dataIndex];
        return `${longDayOf(day)}\n${words.total}: ${units(total)}\n${words.daily}: ${units(daily)}`;
      },
    },
    xAxis: axis(palette, { type: "time", min: at(data.opens), max: at(data.closes), splitLine: { show: false },
      splitNumber: width < 520 ? 4 : 8,
      axisLabel: { color: palette.quiet, fontSize: 11.5, hideOverlap: true, formatter: (value) => dayOf(value) } }),
    yAxis: [
      axis(palette, { type: "value", max: Math.ceil(highest * 1.08), axisLine: { show: false },
        axisLabel: { color: palette.quiet, fontSize: 11.5, formatter: compact, showMaxLabel: false } }),
      { type: "value", show: false, max: Math.max(...data.points.map((point) => point[2]), 1) * 4 },
    ],
    series: [
      ...coming,
      { name: words.daily, type: "bar", yAxisIndex: 1, barMaxWidth: 10, data: data.points.map((point) => [at(point[0]), point[2]]),
        itemStyle: { color: palette.stream, opacity: 0.55, borderRadius: [2, 2, 0, 0] } },
      { name: words.total, type: "line", symbol: "none", data: data.points.map((point) => [at(point[0]), point[1]]),
        lineStyle: { color: palette.river, width: 2.5 }, itemStyle: { color: palette.river },
        areaStyle: { color: palette.river, opacity: 0.1 },
        markLine: { symbol: "none", silent: true, data: marks } },
    ],
  };
}
