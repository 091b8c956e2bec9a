/**
 * The language of a code block, from its classes or those around it: `language-x` and `lang-x`
 * (recommended by HTML), `highlight-source-x` (GitHub), `brush: x` (SyntaxHighlighter), `hljs x`,
 * `sourceCode x` (Pandoc) and `highlight x` (Hexo). Empty if there is none.
 */
export function detectLanguage(block: Element): string {
  const places = [
    block.querySelector('code'),
    block,
    block.parentElement,
    block.parentElement?.parentElement,
  ];
  for (const place of places) {
    const found = languageIn(place?.getAttribute('class') ?? '');
    if (found) return found;
  }
  for (const place of places.slice(0, 3)) {
    for (const name of ['data-lang', 'data-language', 'data-enlighter-language']) {
      const value = place?.getAttribute(name)?.trim() ?? '';
      if (isLanguage(value)) return value;
    }
  }
  const lang = block.getAttribute('lang') ?? '';
  // A natural language is two letters.
  return isLanguage(lang) && lang.length > 2 && !lang.includes('-') ? lang : '';
}

function languageIn(classes: string): string | null {
  const name = classes.slice(0, 500);
  const marked =
    /(?:^|\s)(?:language|lang|highlight-source|highlight|brush:)[-\s:]\s*([^\s,;`{}]+)/.exec(name)?.[1] ??
    /(?:^|\s)(?:hljs|sourceCode)\s+([^\s,;`{}]+)/.exec(name)?.[1];
  return marked && isLanguage(marked) && !NOT_A_LANGUAGE.has(marked) ? marked : null;
}

const isLanguage = (text: string): boolean => /^[\p{L}\p{N}][\p{L}\p{N}_.+#-]{0,30}$/u.test(text);

const NOT_A_LANGUAGE: ReadonlySet<string> = new Set(
  'default none plain plaintext text nohighlight no-highlight auto copyable notranslate highlight code block wrap linenums numberSource lineNumbers line-numbers hljs'.split(
    ' ',
  ),
);
