import { mathmlToTex } from './mathml.ts';
import { select, selectFirst } from './selector-index.ts';
import { isElement, isText, nextNode, readText } from './traverse.ts';

/**
 * Gives each formula one spelling: `<span class="math inline">\(TeX\)</span>`, as Pandoc writes it
 * (`math display` and `\[TeX\]` for one on a line of its own). Renderers put a formula into a page
 * several times: as MathML for readers of screens, as boxes for the eye, as source in an attribute,
 * a script or an image's text.
 */
export function unifyFormulas(document: Document): void {
  // One walk: most pages have no formula, and selectors of this kind would be compiled per element.
  const found = select(document, '*').filter(mayBeFormula);
  for (const element of found) if (isIn(element, document)) replaceAny(element);
}

function mayBeFormula(element: Element): boolean {
  const { localName } = element;
  if (localName === 'math' || localName === 'mjx-container') return true;
  if (localName === 'script') return element.getAttribute('type')?.startsWith('math/') === true;
  if (localName === 'img') return element.hasAttribute('alt');
  if (!element.hasAttributes()) return false;
  const name = element.getAttribute('class');
  if (name !== null && FORMULA_CLASS.test(name)) return true;
  return element.hasAttribute('data-tex') || element.hasAttribute('data-latex');
}

const FORMULA_CLASS = /katex|math|arithmatex/;

function replaceAny(element: Element): void {
  if (element.localName === 'math') replaceMath(element);
  else if (element.localName === 'mjx-container') replaceMathJax3(element);
  else if (element.localName === 'script') replaceMathJax2(element);
  else if (element.localName === 'img') replaceImage(element);
  else replaceNamed(element);
}

/** False once an earlier replacement took it out with what is around it. */
function isIn(element: Element, document: Document): boolean {
  let top: Node = element;
  while (top.parentNode) top = top.parentNode;
  return top === document;
}

function replaceNamed(holder: Element): void {
  const names = (holder.getAttribute('class') ?? '').slice(0, 500).split(/\s+/);
  const has = (...some: string[]) => some.some((name) => names.includes(name));
  const given = holder.getAttribute('data-tex') ?? holder.getAttribute('data-latex');
  if (given?.trim() && !/^(IMG|SCRIPT|MATH|math)$/.test(holder.tagName)) {
    replace(holder, { tex: given, isDisplay: /display|block/.test(names.join(' ')) });
  } else if (has('katex', 'katex-display', 'mwe-math-element')) {
    const tex = texOf(holder);
    const isDisplay = has('katex-display') || isDisplayed(holder) || /display/.test(readImageClass(holder));
    if (tex !== null) replace(holder, { tex, isDisplay });
  } else if (has('math', 'math-container', 'math-inline', 'math-display', 'math-tex', 'arithmatex')) {
    const written = startsFormula(holder) ? unwrapDelimiters(readText(holder)) : null;
    if (written) replace(holder, written);
  }
}

/** Whether its first text begins with a delimiter; without reading all of it. */
function startsFormula(holder: Element): boolean {
  for (let node = holder.firstChild; node; node = nextNode(node, holder)) {
    if (isText(node) && /\S/.test(node.data)) return /^\s*(\$|\\[([])/.test(node.data);
  }
  return false;
}

const readImageClass = (holder: Element): string => selectFirst(holder, 'img')?.getAttribute('class') ?? '';

interface Formula {
  tex: string;
  isDisplay: boolean;
}

/** TeX of a renderer's element: its annotation, its MathML, or the text of its image. */
function texOf(holder: Element): string | null {
  const annotation = selectFirst(holder, TEX_ANNOTATION);
  if (annotation) return readText(annotation);
  const math = selectFirst(holder, 'math');
  if (math) return texOfMath(math);
  return selectFirst(holder, 'img[alt]')?.getAttribute('alt') ?? null;
}

const TEX_ANNOTATION = 'annotation[encoding="application/x-tex"]';

const texOfMath = (math: Element): string => {
  const annotation = selectFirst(
    math,
    `${TEX_ANNOTATION}, annotation[encoding="TeX"], annotation[encoding="LaTeX"]`,
  );
  const written = annotation
    ? readText(annotation)
    : (math.getAttribute('alttext') ?? math.getAttribute('data-latex') ?? '');
  return written.trim() === '' ? mathmlToTex(math) : written;
};

const isDisplayed = (holder: Element): boolean => {
  const math = holder.localName === 'math' ? holder : selectFirst(holder, 'math');
  return math?.getAttribute('display') === 'block' || math?.getAttribute('mode') === 'display';
};

function replaceMath(math: Element): void {
  // Nested in another `math` only by mistake of a page.
  replace(math, { tex: texOfMath(math), isDisplay: isDisplayed(math) });
}

/** Its MathML for screen readers; without one the characters of its glyphs. */
function replaceMathJax3(holder: Element): void {
  const math = selectFirst(holder, 'math');
  const source =
    holder.getAttribute('data-latex') ?? selectFirst(holder, '[data-latex]')?.getAttribute('data-latex');
  const tex = source ?? (math ? texOfMath(math) : glyphs(holder));
  replace(holder, { tex, isDisplay: holder.getAttribute('display') === 'true' });
}

/** MathJax names a glyph by its code: `mjx-c1D438` is an italic E. */
function glyphs(holder: Element): string {
  let text = '';
  for (let node = holder.firstChild; node; node = nextNode(node, holder)) {
    if (!isElement(node)) continue;
    const code = /(?:^|\s)mjx-c([0-9A-F]{2,5})(?:\s|$)/.exec(node.getAttribute('class') ?? '')?.[1];
    const point = code ? Number.parseInt(code, 16) : 0;
    if (point > 0x1f && point <= 0x10ffff) text += String.fromCodePoint(point).normalize('NFKC');
  }
  return text;
}

/** MathJax 2 keeps the source in a script, after what it drew. */
function replaceMathJax2(script: Element): void {
  const type = script.getAttribute('type') ?? '';
  if (!/^math\/(tex|asciimath)/i.test(type)) return;
  for (let drawn = script.previousSibling; drawn; drawn = script.previousSibling) {
    const isBlankText = isText(drawn) && !/\S/.test(drawn.data) && isDrawn(drawn.previousSibling);
    if (!isBlankText && !isDrawn(drawn)) break;
    drawn.remove();
  }
  replace(script, {
    tex: readText(script).replace(/^\s*%?\s*<!\[CDATA\[|%?\s*\]\]>\s*$/g, ''),
    isDisplay: /mode=display/i.test(type),
  });
}

const isDrawn = (node: Node | null): node is Element =>
  isElement(node) && /(?:^|\s)(?:MathJax|MJX|mjx|MathJax_\w+)/.test(node.getAttribute('class') ?? '');

/** Images of formulas, whose text is their TeX: WordPress, CodeCogs, Wikipedia, Zhihu, Sphinx. */
function replaceImage(image: Element): void {
  const alt = image.getAttribute('alt')?.trim() ?? '';
  if (alt === '' || alt.length > MAX_TEX) return;
  const name = image.getAttribute('class') ?? '';
  const source = (image.getAttribute('src') ?? '').slice(0, 500);
  const isNamed =
    /(?:^|\s)(?:latex|tex|math|mwe-math-fallback-image-(?:inline|display)|ztext-math|ee_img)(?:\s|$)/.test(
      name,
    );
  if (!isNamed && !IMAGE_SERVICES.test(source)) return;
  if (isNamed && !/[\\^_={}+]|^\w$/.test(alt)) return;
  replace(image, unwrapDelimiters(alt) ?? { tex: alt, isDisplay: /display/.test(name) });
}

const IMAGE_SERVICES =
  /latex\.php|codecogs\.com\/|\/math\/render\/|[?&]cht=tx|zhihu\.com\/equation|\/latex\.image/i;
const MAX_TEX = 5000;

/** A text that is one formula in the delimiters of TeX; null if it is not. */
function unwrapDelimiters(text: string): Formula | null {
  const trimmed = text.trim();
  if (trimmed.length > MAX_TEX) return null;
  const [open, close] =
    DELIMITERS.find(
      ([begin, end]) =>
        trimmed.startsWith(begin) && trimmed.endsWith(end) && trimmed.length > begin.length + end.length,
    ) ?? [];
  if (!open || !close) return null;
  const tex = trimmed.slice(open.length, -close.length);
  // Two formulas in one element.
  if (tex.includes(open) || tex.includes(close)) return null;
  return { tex, isDisplay: open === '$$' || open === '\\[' };
}

const DELIMITERS = [
  ['$$', '$$'],
  ['\\[', '\\]'],
  ['\\(', '\\)'],
  ['$', '$'],
] as const;

function replace(element: Element, { tex, isDisplay }: Formula): void {
  const { parentNode, ownerDocument } = element;
  if (!parentNode) return;
  const source = plainTex(tex);
  if (source === '') return;
  const formula = ownerDocument.createElement('span');
  formula.setAttribute('class', isDisplay ? 'math display' : 'math inline');
  formula.textContent = isDisplay ? `\\[${source}\\]` : `\\(${source}\\)`;
  parentNode.replaceChild(formula, element);
}

/** On one line, and without Wikipedia's `{\displaystyle …}`. */
function plainTex(tex: string): string {
  const text = tex.slice(0, MAX_TEX).replace(/\s+/g, ' ').trim();
  const inner = /^\{\\(?:display|text)style ?(.*)\}$/.exec(text)?.[1];
  return (inner ?? text).trim();
}
