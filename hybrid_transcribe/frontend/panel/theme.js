// Light or dark: as the host has it, else as the system does.

/**
 * Keeps `root`'s data-theme right; returns what ends that.
 * @param {HTMLElement} root
 */
export function followTheme(root) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function update() {
    const { body, documentElement: page } = document;
    const lab = body.dataset.jpThemeLight;
    const dark = lab !== undefined ? lab === "false" : hostIsDark(page, body) ?? system.matches;
    root.dataset.theme = dark ? "dark" : "light";
    if (lab === undefined) delete root.dataset.host;
    else root.dataset.host = "jupyter";
  }

  const observer = new MutationObserver(update);
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind", "theme", "class"] });
  }
  system.addEventListener("change", update);
  update();
  return () => {
    observer.disconnect();
    system.removeEventListener("change", update);
  };
}

/**
 * Colab names its theme on the page, VS Code on the body; null where nobody says.
 * @param {HTMLElement} page
 * @param {HTMLElement} body
 */
function hostIsDark(page, body) {
  const colab = page.getAttribute("theme");
  if (colab) return colab === "dark";
  const code = body.dataset.vscodeThemeKind;
  return code ? !code.includes("light") : null;
}
