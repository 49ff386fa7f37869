// Tabs: one is shown; arrow keys, Home and End walk through them.
import { byId } from "./base.js";

const tabs = [...document.querySelectorAll("[role=tab]")];

export const currentTab = () =>
  tabs.find((tab) => tab.ariaSelected === "true").getAttribute("aria-controls");

export function showTab(name) {
  for (const tab of tabs) {
    const chosen = tab.getAttribute("aria-controls") === name;
    tab.ariaSelected = String(chosen);
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !chosen;
    if (chosen) byId(name).dispatchEvent(new CustomEvent("shown"));
  }
}

tabs.forEach((tab, index) => {
  tab.addEventListener("click", () => showTab(tab.getAttribute("aria-controls")));
  tab.addEventListener("keydown", (event) => {
    const last = tabs.length - 1;
    const target = {
      ArrowRight: index === last ? 0 : index + 1,
      ArrowLeft: index === 0 ? last : index - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    showTab(tabs[target].getAttribute("aria-controls"));
    tabs[target].focus();
  });
});
