// What is known about a token, beside the token: on hover, on focus, and pinned on a click.
import { element } from "./base.js";
import { formatShare, formatValue, isProbability } from "./values.js";

function row(label, value, share) {
  const bar = element("span", "bar");
  bar.style.setProperty("--share", share ?? 0);
  bar.hidden = share === null;
  return element("tr", "", element("th", "", label), element("td", "", value),
    element("td", "track", bar));
}

function describeToken([id, values, alternatives], signals, label, place) {
  const head = element("p", "tip-head", element("bdi", "", label),
    element("span", "token-id", ` token ${id}${place}`));
  const rows = signals.map((signal, index) => {
    const value = values[index];
    const share = isProbability(signal) && typeof value === "number" ? value : null;
    return row(signal === "entropy" ? "entropy, nats" : signal, formatValue(value), share);
  });
  const parts = [head, element("table", "", element("tbody", "", ...rows))];
  if (alternatives?.length) {
    const others = alternatives.map(([text, probability]) => {
      const node = row(element("bdi", "", text), formatShare(probability), probability);
      if (text === label.trim()) node.className = "chosen";
      return node;
    });
    parts.push(element("p", "tip-sub", "The language model’s choices"),
      element("table", "alternatives", element("tbody", "", ...others)));
  }
  return parts;
}

// Lets a tooltip follow pointer and focus over the tokens in a list of texts; `known` tells the text
// that a token stands in, its cells, and the names of its signals. What it returns closes the tooltip.
export function followTips(tip, list, known) {
  let tipNode = null; // the token it belongs to
  let pinned = false;
  let hiding = 0;

  function place() {
    if (!tipNode) return;
    const target = tipNode.getClientRects()[0] ?? tipNode.getBoundingClientRect();
    const { width, height } = tip.getBoundingClientRect();
    const edge = 8;
    const left = Math.min(target.left, document.documentElement.clientWidth - width - edge);
    const below = target.bottom + edge;
    const above = target.top - height - edge;
    tip.style.left = `${Math.max(edge, left)}px`;
    tip.style.top = `${below + height > innerHeight && above > 0 ? above : below}px`;
  }

  function openTip(node) {
    clearTimeout(hiding);
    if (node === tipNode) return;
    closeTip();
    const { text, cells, signals } = known(node);
    const [start, end, , tokens] = cells[node.dataset.cell];
    const label = text.slice(start, end).replaceAll("\n", "⏎").replace(/^ +$/, "␣");
    // Tokens that share a character are told apart by their place.
    const places = (index) => (tokens.length > 1 ? `, ${index + 1} of ${tokens.length}` : "");
    const parts = tokens.flatMap((token, index) => describeToken(token, signals, label, places(index)));
    tip.replaceChildren(...parts);
    tip.hidden = false;
    tipNode = node;
    node.classList.add("open");
    node.setAttribute("aria-describedby", "tip");
    place();
  }

  function closeTip() {
    clearTimeout(hiding);
    tip.hidden = true;
    pinned = false;
    tipNode?.classList.remove("open");
    tipNode?.removeAttribute("aria-describedby");
    tipNode = null;
  }

  const cellOf = (event) => event.target.closest?.(".cell");
  // Leaves time to move the pointer into the tooltip.
  const closeSoon = () => {
    if (!pinned) hiding = setTimeout(closeTip, 150);
  };
  list.addEventListener("pointerover", (event) => {
    const cell = cellOf(event);
    if (cell && !pinned) openTip(cell);
  });
  list.addEventListener("pointerout", (event) => cellOf(event) && closeSoon());
  tip.addEventListener("pointerenter", () => clearTimeout(hiding));
  tip.addEventListener("pointerleave", closeSoon);
  list.addEventListener("focusin", (event) => {
    const cell = cellOf(event);
    if (cell) openTip(cell);
  });
  list.addEventListener("focusout", closeTip);
  addEventListener("scroll", place, { passive: true });
  addEventListener("resize", place);
  document.addEventListener("click", (event) => {
    const cell = cellOf(event);
    if (cell) {
      openTip(cell);
      pinned = true;
    } else if (!tip.contains(event.target)) closeTip();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeTip();
  });

  // Walking through the tokens of a sentence
  list.addEventListener("keydown", (event) => {
    const cell = cellOf(event);
    if (!cell) return;
    const paragraph = cell.closest(".hypothesis");
    const stops = [...paragraph.querySelectorAll(".cell[tabindex]")];
    const forward = getComputedStyle(paragraph).direction === "rtl" ? -1 : 1;
    const position = stops.indexOf(cell);
    const target = {
      ArrowRight: position + forward,
      ArrowLeft: position - forward,
      Home: 0,
      End: stops.length - 1,
    }[event.key];
    if (!stops[target]) return;
    event.preventDefault();
    cell.tabIndex = -1;
    stops[target].tabIndex = 0;
    stops[target].focus();
  });

  return closeTip;
}
