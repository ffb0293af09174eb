// Returns each text that is shown whose contrast with what is behind it is too low (WCAG 2.2, 1.4.3 and 1.4.11).
(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const seen = new Map();
  const rgba = text => {
    // whatever way a colour is written
    if (!seen.has(text)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      seen.set(text, [r, g, b, a / 255]);
    }
    return seen.get(text);
  };
  const over = (top, below) => [0, 1, 2].map(at => top[at] * top[3] + below[at] * (1 - top[3])).concat(1);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b]
      .map(each => each / 255)
      .map(each => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const behind = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(rgba(getComputedStyle(at).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const found = [];
  let pairs = 0;
  const check = (element, color, words, least) => {
    const paper = behind(element);
    const ratio = contrast(over(rgba(color), paper), paper);
    pairs += 1;
    if (ratio < least) found.push(`${ratio.toFixed(2)} ${color} ${words}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const {parentElement: element, textContent} = walker.currentNode;
    if (!textContent.trim() || !element.checkVisibility({visibilityProperty: true})) continue;
    // a shape beside its word is a picture
    const least = element.closest("[aria-hidden]") && element.closest(".mark") ? 3 : 4.5;
    check(element, getComputedStyle(element).color, textContent.trim().slice(0, 40), least);
  }
  for (const field of document.querySelectorAll("input")) {
    if (!field.checkVisibility()) continue;
    check(field, getComputedStyle(field, "::placeholder").color, "placeholder", 4.5);
    check(field.parentElement, getComputedStyle(field).borderTopColor, "border of a field", 3);
  }
  return {found: [...new Set(found)], pairs};
})();
