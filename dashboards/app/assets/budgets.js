"use strict";
// Budgets' sliders: where one stands for a typed text, and the text of the place it was moved to.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.budgets = (() => {
  const STEPS = 100;

  /** A budget's text as a number in the figure's unit, or null. */
  const number = (text, total) => {
    const found = /^\s*[<>=≤≥]*\s*(-?(?:[0-9][0-9,_]*\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+))\s*(%|k|m)?\s*$/i.exec(text ?? "");
    if (found === null) return null;
    const value = Number(found[1].replace(/[,_]/g, ""));
    const unit = (found[2] ?? "").toLowerCase();
    if (unit === "%") return total ? (value / 100) * total : value / 100;
    return value * ({ k: 1e3, m: 1e6 }[unit] ?? 1);
  };

  /** Where a slider stands for a value; one end means that there is no budget. */
  const place = (value, scale) => {
    const { numbers, most } = scale;
    if (value === null || numbers.length === 0) return most ? STEPS : 0;
    let at = most ? numbers.filter((one) => one <= value * (1 + 1e-12)).length - 1 : numbers.findIndex((one) => one >= value);
    if (at < 0) at = most ? 0 : numbers.length - 1;
    const share = numbers.length > 1 ? at / (numbers.length - 1) : 1;
    return most ? Math.min(Math.floor(share * (STEPS - 1)), STEPS - 1) : 1 + Math.ceil(share * (STEPS - 1));
  };

  /** The text of a slider's place; in per cent where the text before was. */
  const text = (at, scale, before) => {
    const { numbers, texts, most, total } = scale;
    if (numbers.length === 0 || (most ? at >= STEPS : at <= 0)) return "";
    const share = most ? at / (STEPS - 1) : (at - 1) / (STEPS - 1);
    const row = Math.round(share * (numbers.length - 1));
    if (!(before ?? "").trim().endsWith("%") || !total) return texts[row];
    const percent = (100 * numbers[row]) / total;
    const step = 10 ** Math.max(Math.floor(Math.log10(percent || 1)) - 2, -6);
    return `${Number((Math.ceil(percent / step) * step).toPrecision(6))} %`;
  };

  /** Make the sliders that are missing, and let each stand where its budget's text says. */
  const settle = (budgets, scales) => {
    for (const box of document.querySelectorAll(".budget > .slider")) {
      const { metric } = JSON.parse(box.id);
      const scale = scales?.[metric];
      if (scale === undefined) continue;
      if (box.firstChild === null) {
        const made = box.appendChild(document.createElement("input"));
        Object.assign(made, { id: JSON.stringify({ metric, type: "slide" }), type: "range", min: 0, max: STEPS, step: 1 });
        made.setAttribute("aria-label", `${metric}: budget`);
        made.value = place(null, scale);
      }
      const wanted = budgets[metric] ?? "";
      // whoever moved it finds it where they left it
      if (text(Number(box.firstChild.value), scale, wanted) === wanted.trim()) continue;
      box.firstChild.value = place(number(wanted, scale.total), scale);
    }
  };

  return { text, settle };
})();
