// Plain horizontal bars, largest on top, with an optional limit line.
import { axis, compact } from "../stage.js";

export function option(data, palette, { width }) {
  const narrow = width < 520;
  return {
    grid: { left: 12, right: 84, top: data.limit ? 22 : 4, bottom: 4, containLabel: true },
    tooltip: { trigger: "item", formatter: ({ dataIndex }) => `${data.bars[dataIndex].label}\n${data.bars[dataIndex].text}` },
    xAxis: axis(palette, { type: "value", max: data.limit ? (range) => Math.max(range.max, data.limit.value) * 1.08 : undefined, axisLabel: { color: palette.quiet, fontSize: 11.5, showMaxLabel: !data.limit, formatter: data.percent ? (value) => `${value}%` : compact, hideOverlap: true } }),
    yAxis: axis(palette, { type: "category", inverse: true, data: data.bars.map((bar) => bar.label), splitLine: { show: false },
      axisLabel: { color: palette.text, fontSize: 12, width: narrow ? 110 : 190, overflow: "break" } }),
    series: [{
      type: "bar", barMaxWidth: 16,
      data: data.bars.map((bar) => ({ value: bar.value, itemStyle: { color: bar.alert ? palette.bad : palette.river, borderRadius: 3 } })),
      label: { show: true, position: "right", color: palette.text, fontSize: 12, formatter: ({ dataIndex }) => data.bars[dataIndex].text },
      markLine: data.limit ? { symbol: "none", silent: true, data: [{ xAxis: data.limit.value,
        lineStyle: { color: palette.bad, type: "dashed" }, label: { formatter: data.limit.label, color: palette.bad, fontSize: 11.5, position: "start" } }] } : undefined,
    }],
  };
}
