import { extract } from '../extract.ts';

const read = (body: string) =>
  extract({
    html: `<!doctype html><html><head><title>T</title></head><body>${body}</body></html>`,
    url: 'https://site.example/dir/page.html',
    title: 'T',
    charset: 'UTF-8',
    formats: ['markdown', 'text', 'html'],
    mainContent: true,
  });

const annotated = (tex: string, attributes = '') =>
  `<math ${attributes}><semantics><mrow><mi>E</mi><mo>=</mo><mi>m</mi></mrow><annotation encoding="application/x-tex">${tex}</annotation></semantics></math>`;
const katex = (tex: string, attributes = '') =>
  `<span class="katex"><span class="katex-mathml">${annotated(tex, attributes)}</span><span class="katex-html" aria-hidden="true">E=m</span></span>`;

describe('a formula is there once, as TeX', () => {
  it.each([
    ['KaTeX', `<p>a ${katex('E=mc^2')} b</p>`, 'a $E=mc^2$ b'],
    [
      'KaTeX on a line',
      `<p>a</p><span class="katex-display">${katex('\\frac{a_1}{b}', 'display="block"')}</span><p>b</p>`,
      'a\n\n$$\\frac{a_1}{b}$$\n\nb',
    ],
    [
      'MathJax 3',
      '<p>a <mjx-container><mjx-math aria-hidden="true"><mjx-c class="mjx-c1D465"></mjx-c></mjx-math><mjx-assistive-mml><math><msup><mi>x</mi><mn>2</mn></msup></math></mjx-assistive-mml></mjx-container> b</p>',
      'a $x^2$ b',
    ],
    [
      'MathJax 3 without MathML',
      '<p>a <mjx-container><mjx-math><mjx-c class="mjx-c1D438 TEX-I"></mjx-c><mjx-c class="mjx-c3D"></mjx-c><mjx-c class="mjx-c31"></mjx-c></mjx-math></mjx-container> b</p>',
      'a $E=1$ b',
    ],
    ['MathJax 4', '<p>a <mjx-container data-latex="x_1"><svg></svg></mjx-container> b</p>', 'a $x_1$ b'],
    [
      'MathJax 2',
      '<p>a <span class="MathJax_Preview">x2</span><span class="MathJax"><nobr aria-hidden="true">x2</nobr><span class="MJX_Assistive_MathML"><math><mi>x</mi></math></span></span><script type="math/tex">x^2</script> b</p>',
      'a $x^2$ b',
    ],
    [
      'MathJax 2 before its script runs',
      '<p>a <script type="math/tex; mode=display">\\sum_i x_i</script></p>',
      'a\n\n$$\\sum_i x_i$$',
    ],
    [
      'Wikipedia',
      `<p>a <span class="mwe-math-element"><span class="mwe-math-mathml-inline mwe-math-mathml-a11y" style="display: none;">${annotated('{\\displaystyle x^{2}}')}</span><img src="https://w.example/math/render/svg/a" class="mwe-math-fallback-image-inline" aria-hidden="true" alt="{\\displaystyle x^{2}}"></span> b</p>`,
      'a $x^{2}$ b',
    ],
    [
      'an image of Wikipedia alone',
      '<p>a <img class="mwe-math-fallback-image-inline" src="/x.svg" alt="{\\displaystyle x^{2}}"> b</p>',
      'a $x^{2}$ b',
    ],
    [
      'an image of WordPress',
      '<p>a <img class="latex" src="https://s0.wp.com/latex.php?latex=x" alt="x^2"> b</p>',
      'a $x^2$ b',
    ],
    [
      'an image of CodeCogs',
      '<p>a <img src="https://latex.codecogs.com/svg.latex?x" alt="x^2"> b</p>',
      'a $x^2$ b',
    ],
    ['an attribute', '<p>a <span class="ztext-math" data-tex="q_i">qi</span> b</p>', 'a $q_i$ b'],
    [
      'alttext',
      '<p>a <math alttext="a\\leq b"><mi>a</mi><mo>≤</mo><mi>b</mi></math> b</p>',
      'a $a\\leq b$ b',
    ],
    [
      'delimiters in an element',
      '<p>a <span class="math-container">$x_1*y$</span> and <span class="math inline">\\(z_1\\)</span></p>',
      'a $x_1*y$ and $z_1$',
    ],
    [
      'a cell',
      `<table><tr><th>f</th></tr><tr><td>${katex('|x|')}</td></tr></table>`,
      '| f |\n| --- |\n| $\\|x\\|$ |',
    ],
  ])('of %s', (_name, html, expected) => {
    expect(read(html).markdown).toBe(expected);
  });

  it('in text and html too', () => {
    const { text, html } = read(`<p>a ${katex('E=mc^2')} b</p>`);
    expect(text).toBe('a $E=mc^2$ b');
    expect(html).toContain('a <span class="math inline">\\(E=mc^2\\)</span> b');
  });
});

describe('MathML without TeX', () => {
  it.each([
    ['<mfrac><mn>1</mn><mn>2</mn></mfrac>', '\\frac{1}{2}'],
    ['<msup><mn>10</mn><mrow><mo>-</mo><mn>6</mn></mrow></msup>', '{10}^{-6}'],
    ['<msub><mi>x</mi><mi>max</mi></msub>', 'x_{\\max}'],
    ['<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>', 'x_i^2'],
    ['<msqrt><mi>a</mi><mo>+</mo><mi>b</mi></msqrt>', '\\sqrt{a + b}'],
    ['<mroot><mi>a</mi><mn>3</mn></mroot>', '\\sqrt[3]{a}'],
    ['<mfenced><mi>a</mi><mi>b</mi></mfenced>', '(a,b)'],
    [
      '<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr></mtable>',
      '\\begin{matrix}1 & 2\\end{matrix}',
    ],
    ['<mi>f</mi><mo>&#8289;</mo><mtext>if so</mtext>', 'f\\text{if so}'],
  ])('%s', (mathml, expected) => {
    expect(read(`<p>a <math>${mathml}</math></p>`).markdown).toBe(`a $${expected}$`);
  });
});

it.each([
  ['<p class="math">Mathematics costs $5 and more</p>', 'Mathematics costs $5 and more'],
  ['<p class="math">$5 here, $6 there$</p>', '$5 here, $6 there$'],
  ['<img class="math" src="/a.png" alt="A drawing of a triangle">', ''],
])('%s is no formula', (html, expected) => {
  expect(read(`<p>a</p>${html}`).text).toBe(`a\n\n${expected}`.trim());
});
