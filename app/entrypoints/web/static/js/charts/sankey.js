// Supplier → warehouse. Labels stand outside the nodes, as wide as the picture allows, so long names stay whole.
import { units, wrap } from "../stage.js";

export function option(data, palette, { width }) {
  const side = Math.round(Math.min(240, Math.max(96, width * (width < 520 ? 0.29 : 0.25))));
  const small = width < 520;
  const size = small ? 11 : 12.5;
  const colour = new Map();
  const nodes = data.nodes.map((node, index) => {
    const left = node.side === "left";
    const fill = node.alert ? palette.bad : left ? palette.series[index % palette.series.length] : palette.stone;
    colour.set(node.id, fill);
    return {
      name: node.id,
      depth: left ? 0 : 1,
      itemStyle: { color: fill, borderWidth: 0 },
      label: {
        position: left ? "left" : "right",
        align: left ? "right" : "left",
        formatter: [...wrap(node.label, side - 14, size, small ? 3 : 2).map((row) => `{name|${row}}`), `{part|${node.note}}`].join("\n"),
      },
    };
  });
  const label = new Map(data.nodes.map((node) => [node.id, node.label]));
  return {
    tooltip: {
      trigger: "item",
      formatter: ({ dataType, data: item, name, value }) =>
        dataType === "edge"
          ? `${label.get(item.source)} → ${label.get(item.target)}\n${units(item.value)} ${data.words.units}`
          : `${label.get(name)}\n${units(value)} ${data.words.units}`,
    },
    series: [{
      type: "sankey",
      left: side, right: side, top: 12, bottom: 12,
      nodeWidth: 12, nodeGap: small ? 30 : 22, draggable: false, layoutIterations: 48,
      data: nodes,
      links: data.links.map((link) => ({
        ...link,
        lineStyle: { color: colour.get(link.source), opacity: palette.dark ? 0.38 : 0.3 },
      })),
      emphasis: { focus: "adjacency", lineStyle: { opacity: 0.6 } },
      lineStyle: { curveness: 0.5 },
      label: {
        rich: {
          name: { fontSize: size, color: palette.text, lineHeight: small ? 14 : 17 },
          part: { fontSize: small ? 10.5 : 11.5, color: palette.quiet, lineHeight: small ? 13 : 15 },
        },
      },
    }],
  };
}
