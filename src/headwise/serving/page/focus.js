// Two buttons of which one is shown: the other takes over the focus, too.
export function swapButtons(shown, hidden) {
  const held = document.activeElement === hidden;
  shown.hidden = false;
  hidden.hidden = true;
  if (held) shown.focus();
}
