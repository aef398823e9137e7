// Raw demand, what each reason takes away, and the valid demand that is left.
import { axis, compact, units } from "../stage.js";

export function option(data, palette, { width }) {
  const colour = { total: palette.stone, minus: palette.warn, plus: palette.stream, valid: palette.river };
  const narrow = width < 520 || width / data.bars.length < 72; // no room for a word under each bar
  const names = data.bars.map((bar) => bar.label);
  const value = { show: true, color: palette.text, fontSize: 12, formatter: ({ dataIndex }) => data.bars[dataIndex].text };
  const blank = { type: "bar", stack: "water", silent: true, itemStyle: { color: "transparent" }, data: data.bars.map((bar) => bar.from) };
  const solid = {
    type: "bar", stack: "water", barMinHeight: 2, barMaxWidth: narrow ? 18 : 56,
    data: data.bars.map((bar) => ({ value: bar.to - bar.from,
      itemStyle: { color: colour[bar.kind], borderRadius: 3 } })),
    label: { ...value, position: narrow ? "right" : "top" },
  };
  const words = axis(palette, { type: "category", data: names, splitLine: { show: false },
    axisLabel: { color: palette.quiet, fontSize: 11.5, interval: 0, width: narrow ? (width < 520 ? 92 : 170) : Math.max(56, width / names.length - 14), overflow: "break" } });
  const figures = axis(palette, { type: "value", axisLine: { show: false }, min: 0,
    axisLabel: { color: palette.quiet, fontSize: 11.5, formatter: compact, hideOverlap: true } });
  return {
    grid: { left: 12, right: narrow ? 64 : 12, top: narrow ? 4 : 26, bottom: 4, containLabel: true },
    tooltip: { trigger: "item", formatter: ({ dataIndex }) => {
      const bar = data.bars[dataIndex];
      return `${bar.label}\n${bar.text} ${data.words.units}${bar.note ? `\n${bar.note}` : ""}`;
    } },
    xAxis: narrow ? { ...figures, show: false } : words,
    yAxis: narrow ? { ...words, inverse: true } : figures,
    series: [blank, solid],
  };
}
