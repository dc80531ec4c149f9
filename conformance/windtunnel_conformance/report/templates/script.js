"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const dialog = document.querySelector("dialog");
const detail = dialog.querySelector(".detail");
const form = document.querySelector("form");

// A variant that passed as it should and has no log is stored as its key alone.
for (const row of Object.values(data.cells)) {
  for (const cell of row.filter(Boolean)) {
    cell.variants = cell.variants.map((one) =>
      typeof one === "string" ? { key: one, verdict: "pass", alternative: 0 } : one);
  }
}

// Everything shown comes in as text, never as markup: peers of this corpus send
// whatever breaks a reader.
function add(parent, tag, text, kind) {
  const node = parent.appendChild(document.createElement(tag));
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  return node;
}

function section(title) {
  add(detail, "h3", title);
}

function list(items) {
  const node = add(detail, "ul");
  for (const item of items) add(node, "li", item);
}

function showLog(rows) {
  const body = add(add(detail, "table", undefined, "log"), "tbody");
  for (const [time, who, arrow, text] of rows) {
    const kind = arrow === "→" ? "in" : arrow === "←" ? "out" : "";
    const line = add(body, "tr", undefined, kind);
    for (const value of [time, who, arrow, text]) add(line, "td", value);
  }
}

function variantName(variant) {
  const mark = variant.surprise ? ", unexpected" : "";
  return `${variant.key || "base"}: ${variant.verdict}${mark}`;
}

function showVariant(id, client, index) {
  const about = data.cases[id];
  const cell = data.cells[id][client];
  const variant = cell.variants[index];
  detail.replaceChildren();
  add(detail, "p", about.title);
  add(detail, "p", `${data.clients[client]}, level ${about.level}, ${about.spec.join(", ")}`, "facts");
  for (const text of about.why) add(detail, "p", text, "why facts");
  if (cell.variants.length > 1) {
    section(`${cell.variants.length} variants`);
    const select = add(detail, "select");
    select.setAttribute("aria-label", "Variant");
    cell.variants.forEach((one, number) => {
      add(select, "option", variantName(one)).value = number;
    });
    select.value = index;
    select.addEventListener("change", () => {
      showVariant(id, client, Number(select.value));
      detail.querySelector("select").focus();
    });
  }
  section("Verdict");
  add(detail, "p", `${data.marks[variant.verdict]} ${variant.verdict}`, `chip ${variant.verdict}`);
  if (variant.surprise) add(detail, "p", variant.surprise, "bad");
  if (variant.alternative !== undefined) {
    add(detail, "p", `Alternative ${variant.alternative} matched. ${variant.note ?? ""}`);
  }
  if (variant.known) add(detail, "p", `Known: ${variant.known}`);
  if (variant.reasons) {
    section("Reasons");
    list(variant.reasons);
  }
  if (variant.blind) {
    section("Not compared: the client does not show it");
    list(variant.blind);
  }
  if (variant.log !== undefined) {
    section("What happened, at both ends");
    showLog(data.logs[variant.log]);
  }
  if (variant.stderr) {
    section("Error output of the adapter");
    add(detail, "pre", variant.stderr);
  }
  section("The case");
  add(detail, "pre", about.source);
}

function open(id, client) {
  document.getElementById("detail-title").textContent = id;
  showVariant(id, client, 0);
  dialog.showModal();
  detail.scrollTop = 0;
  // The address names what is open, so that it can be passed on.
  history.replaceState(null, "", `#${id}:${data.clients[client]}`);
}

function openFromAddress() {
  const [id, name] = decodeURIComponent(location.hash.slice(1)).split(":");
  const client = data.clients.indexOf(name);
  if (data.cells[id]?.[client]) open(id, client);
}

function filter() {
  const { level, family, verdict } = Object.fromEntries(new FormData(form));
  let shown = 0;
  for (const body of document.querySelectorAll("tbody")) {
    let any = false;
    for (const row of body.querySelectorAll(".case")) {
      const cells = [...row.querySelectorAll(".cell")];
      const fits =
        (!level || row.dataset.level === level) &&
        (!family || row.dataset.family === family) &&
        (!verdict || cells.some((one) =>
          verdict === "unexpected"
            ? one.classList.contains("unexpected")
            : one.dataset.verdict === verdict));
      row.hidden = !fits;
      any ||= fits;
      shown += fits;
    }
    body.hidden = !any;
  }
  form.querySelector("output").textContent = `${shown} shown`;
}

document.querySelector("main").addEventListener("click", (event) => {
  const button = event.target.closest(".cell");
  if (button) open(button.closest("tr").dataset.id, Number(button.dataset.client));
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest(".close")) dialog.close();
});
dialog.addEventListener("close", () => {
  history.replaceState(null, "", location.pathname + location.search);
});
form.addEventListener("change", filter);
form.addEventListener("submit", (event) => event.preventDefault());
filter();
openFromAddress();
