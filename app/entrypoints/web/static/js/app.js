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
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const file = form.dataset.resumable && form.elements.file.files[0];
  if (!file || file.size <= Number(form.dataset.part) || !form.elements.channel.value.trim()) return;
  event.preventDefault();
  const button = form.querySelector("button:not([type=button])");
  const failure = form.querySelector("[data-upload-failure]");
  button.disabled = true;
  failure.hidden = true;
  try {
    const { upload } = await import("./upload.js");
    await upload(form, file);
  } catch (error) {
    failure.textContent = error.status ? error.message : failure.dataset.uploadFailure;
    failure.hidden = false;
    button.disabled = false;
  }
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

/** A part may know what a figure elsewhere on the page has become. */
function recount() {
  for (const now of document.querySelectorAll("[data-recount]")) {
    for (const old of document.querySelectorAll(`[data-count="${now.dataset.recount}"]`)) {
      if (now.textContent === "0") old.remove();
      else old.textContent = now.textContent;
    }
    now.remove();
  }
}

const READ = 6000; // milliseconds; a failure stays until it is closed

/** Good news makes room: the newest stays a while, unless somebody is reading it. */
function tidy() {
  const good = [...document.querySelectorAll("#messages .alert-success")];
  for (const message of good.slice(0, -1)) message.remove();
  const message = good.at(-1);
  if (!message || message.dataset.seen !== undefined) return;
  message.dataset.seen = "";
  const leave = () => (message.matches(":hover, :focus-within") ? setTimeout(leave, READ) : message.remove());
  setTimeout(leave, READ);
}

function settled() {
  drawCharts(document);
  recount();
  tidy();
}
document.addEventListener("htmx:after:swap", settled);
settled();
document.querySelector(".menu [aria-current]")?.scrollIntoView({ block: "nearest" }); // a long menu on a low screen
