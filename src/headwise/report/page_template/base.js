// What the scripts of all pages share; a page's own follow, and last of all it is called live.
// Files are modules: a page that stands alone joins them to one.

export const byId = (id) => document.getElementById(id);

export function element(tag, className, ...children) {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children);
  return node;
}

// Runs an action once nobody has asked for it for so many milliseconds; `stop` takes that back.
export function afterPause(action, milliseconds) {
  let timer = 0;
  const stop = () => clearTimeout(timer);
  const later = () => {
    stop();
    timer = setTimeout(action, milliseconds);
  };
  return Object.assign(later, { stop });
}
