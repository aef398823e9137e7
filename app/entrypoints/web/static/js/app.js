// Small behaviours of every page: charts where a page has them, messages that can be closed, disclosures that
// close their neighbours. Everything works on the swapped-in parts of htmx as well.
const loading = new Map();

function kinds(kind) {
  if (!loading.has(kind)) loading.set(kind, import(`./charts/${kind}.js`));
  return loading.get(kind);
}

async function drawCharts(root) {
  const figures = [...root.querySelectorAll("[data-chart]:not([data-drawn])")];
  if (!figures.length) return;
  const { draw } = await import("./stage.js");
  for (const figure of figures) {
    figure.dataset.drawn = "";
    draw(figure, await kinds(figure.dataset.chart));
  }
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss-message]")?.closest(".message")?.remove();
});
document.addEventListener("submit", (event) => {
  const { busy } = event.target.dataset; // a form that leaves the page and takes its time
  if (!busy || event.defaultPrevented) return;
  const button = event.target.querySelector("button:not([type=button])");
  button.querySelector("span").textContent = busy;
  button.disabled = true;
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});
document.addEventListener("htmx:after:swap", () => drawCharts(document));
drawCharts(document);
