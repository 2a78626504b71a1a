// Texts with a contrast below 4.5 to what they stand on.
() => {
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const under = (node) => {
    for (let it = node; it; it = it.parentElement) {
      const found = numbers(getComputedStyle(it).backgroundColor);
      if (found.length < 4 || found[3] > .99) return found;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const node of document.querySelectorAll('.ht-hud *')) {
    const own = [...node.childNodes].some((it) => it.nodeType === 3 && it.data.trim());
    if (!own || !node.checkVisibility() || node.disabled || node.closest('.ht-hidden, option, :disabled')) continue;
    const [a, b] = [light(numbers(getComputedStyle(node).color)), light(under(node))];
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < 4.5) faint.push(`${node.className} ${node.textContent.slice(0, 30)} ${contrast.toFixed(2)}`);
  }
  return faint;
}
