// Large files go in parts, so that a broken connection costs one part and a closed page can go on later.
const PATIENCE = [1, 2, 4, 8, 16, 32]; // seconds between attempts of one part
const KEPT = "headwater-uploads"; // which upload is of which file

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function keep(key, address) {
  const all = kept();
  if (address) all[key] = address;
  else delete all[key];
  localStorage.setItem(KEPT, JSON.stringify(all));
}

class Refused extends Error {}

async function ask(address, options, token) {
  const headers = { ...options.headers, "X-CSRFToken": token };
  const answer = await fetch(address, { ...options, headers, credentials: "same-origin" });
  if (answer.ok) return answer;
  if (answer.status >= 500 || answer.status === 429) throw new Error(answer.status);
  const told = await answer.json().catch(() => ({}));
  throw Object.assign(new Refused(told.detail ?? answer.status), { status: answer.status });
}

async function begin(form, file, token) {
  const told = {
    file_name: file.name.slice(0, 255),
    channel: form.elements.channel.value.trim(),
    mapping: form.elements.mapping.value,
    size: file.size,
  };
  const body = JSON.stringify(told);
  const headers = { "Content-Type": "application/json" };
  const answer = await ask(form.dataset.resumable, { method: "POST", headers, body }, token);
  return answer.headers.get("Location");
}

/** How much has come; undefined where the upload is gone. */
async function offset(address, token) {
  try {
    const answer = await ask(address, { method: "HEAD" }, token);
    return Number(answer.headers.get("Upload-Offset"));
  } catch (error) {
    if (error.status === 404) return undefined;
    throw error;
  }
}

/** Send one part, and again until it has come; returns where the next begins, and the job after the last. */
async function send(address, file, start, size, token) {
  const body = file.slice(start, start + size);
  for (const seconds of [...PATIENCE, null]) {
    const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(start) };
    try {
      const answer = await ask(address, { method: "PATCH", headers, body }, token);
      return { at: Number(answer.headers.get("Upload-Offset")), job: answer.headers.get("Upload-Job") };
    } catch (error) {
      if (error instanceof Refused && error.status !== 409) throw error;
      if (seconds === null) throw error;
      if (error.status !== 409) await wait(seconds);
      const at = await offset(address, token).catch(() => start);
      if (at !== undefined && at !== start) return { at, job: null };
    }
  }
}

/** Upload the file of this form, and go where its import is followed. */
export async function upload(form, file) {
  const token = form.elements.csrf_token.value;
  const bar = form.querySelector("progress");
  const key = [file.name, file.size, file.lastModified, form.elements.channel.value, form.elements.mapping.value].join("|");
  let address = kept()[key];
  let at = address && (await offset(address, token));
  if (at === undefined) {
    address = await begin(form, file, token);
    at = 0;
    keep(key, address);
  }
  bar.hidden = false;
  bar.max = file.size;
  let job = null;
  while (at < file.size) {
    bar.value = at;
    ({ at, job } = await send(address, file, at, Number(form.dataset.part), token));
  }
  bar.value = file.size;
  keep(key, null);
  if (!job) job = (await ask(address, { method: "HEAD" }, token)).headers.get("Upload-Job");
  location.assign(`${form.action}?job=${job}`);
}
