import { isElement, readText } from './traverse.ts';

/**
 * TeX of a MathML element: structure as TeX, symbols as they are. Deeper than any formula is, its
 * text follows without structure.
 */
export function mathmlToTex(math: Element): string {
  return convert(math, 0).replace(/\s+/g, ' ').trim();
}

const MAX_DEPTH = 60;

function convert(node: Node, depth: number): string {
  if (!isElement(node)) return (node.nodeValue ?? '').replace(/\s+/g, ' ');
  if (depth > MAX_DEPTH) return readText(node);
  const name = node.localName.replace(/^(?:m|mml|mjx-)?:?(?=m)/, '').toLowerCase();
  const children = elementsOf(node);
  const part = (at: number): string => {
    const child = children[at];
    return child ? convert(child, depth + 1) : '';
  };
  switch (name) {
    case 'mi':
    case 'mn':
    case 'mo':
      return token(node);
    case 'mtext':
    case 'ms':
      return readText(node).trim() === '' ? ' ' : `\\text{${readText(node).trim()}}`;
    case 'mspace':
      return ' ';
    case 'mfrac':
      return `\\frac{${part(0)}}{${part(1)}}`;
    case 'msqrt':
      return `\\sqrt{${row(children, depth)}}`;
    case 'mroot':
      return `\\sqrt[${part(1)}]{${part(0)}}`;
    case 'msup':
    case 'mover':
      return `${base(part(0))}^${script(part(1))}`;
    case 'msub':
    case 'munder':
      return `${base(part(0))}_${script(part(1))}`;
    case 'msubsup':
    case 'munderover':
      return `${base(part(0))}_${script(part(1))}^${script(part(2))}`;
    case 'mfenced':
      return `${node.getAttribute('open') ?? '('}${children.map((_, at) => part(at)).join(node.getAttribute('separators')?.trim()[0] ?? ',')}${node.getAttribute('close') ?? ')'}`;
    case 'mtable':
      return `\\begin{matrix}${children.map((_, at) => part(at)).join(' \\\\ ')}\\end{matrix}`;
    case 'mtr':
    case 'mlabeledtr':
      return children.map((_, at) => part(at)).join(' & ');
    case 'semantics':
      return part(0);
    case 'annotation':
    case 'annotation-xml':
    case 'mphantom':
    case 'none':
    case 'mprescripts':
      return '';
    default:
      return row(children, depth) || (children.length === 0 ? readText(node) : '');
  }
}

const row = (children: readonly Element[], depth: number): string =>
  children.map((child) => convert(child, depth + 1)).join('');

function token(element: Element): string {
  // Invisible operators: function application, times, separator, plus.
  const text = readText(element)
    .replace(/[\u2061-\u2064]/g, '')
    .trim();
  if (text === '') return '';
  const isName = element.localName === 'mi' && /^[A-Za-z]{2,}$/.test(text);
  if (isName) return FUNCTIONS.has(text) ? `\\${text} ` : `\\mathrm{${text}}`;
  if (/^[{}%#&$]$/.test(text)) return `\\${text}`;
  return /^[=<>≤≥≠≈→⇒±×·+∈∉⊂∪∩−]$/.test(text) ? ` ${text} ` : text;
}

const FUNCTIONS = new Set(
  'sin cos tan cot sec csc log ln exp lim max min sup inf det dim gcd arg'.split(' '),
);

const base = (text: string): string => (/^(.|\\\w+ ?|)$/su.test(text.trim()) ? text.trim() : `{${text}}`);
const script = (text: string): string =>
  /^[\p{L}\p{N}]$/u.test(text.trim()) ? text.trim() : `{${text.trim()}}`;

function elementsOf(parent: Element): Element[] {
  const elements: Element[] = [];
  for (let child = parent.firstChild; child; child = child.nextSibling)
    if (isElement(child)) elements.push(child);
  return elements;
}
