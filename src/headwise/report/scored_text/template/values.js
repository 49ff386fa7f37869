// How values of signals are written, and which of them are probabilities.

export function formatValue(value) {
  if (value === null) return "–";
  if (typeof value === "string") return value;
  const size = Math.abs(value);
  const text = Number.isInteger(value) ? String(value)
    : size < 0.001 ? value.toExponential(1)
    : value.toFixed(size < 10 ? 3 : 1);
  return text.replaceAll("-", "−");
}

export function formatShare(share) {
  const percent = 100 * share;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  return `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

export const isProbability = (signal) => !["logprob", "entropy", "rank"].includes(signal);

// A threshold on the confidence, and beside it in the signal's own range where that differs.
export function limitText(limit, signal) {
  const text = limit.toFixed(2);
  const own = {
    logprob: () => ` (x < ${formatValue(Math.log(limit))})`,
    entropy: () => ` (x > ${formatValue(-Math.log(limit))})`,
    rank: () => ` (x > ${formatValue(1 / limit)})`,
    error: () => ` (x > ${(1 - limit).toFixed(2)})`,
    omission: () => ` (x > ${(1 - limit).toFixed(2)})`,
  }[signal];
  return own && limit > 0 ? text + own() : text;
}
