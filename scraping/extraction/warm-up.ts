import type { ExtractInput } from './extract.ts';

/**
 * A page with one of each kind of markup. A new thread extracts it first, so that the first real
 * page finds modules loaded and functions compiled. 0.3 s of CPU time that the first ten pages
 * would take otherwise.
 */
export const WARM_UP_PAGE: ExtractInput = {
  html: renderPage(8),
  url: 'https://first.example/docs/article.html',
  title: 'An article | First example',
  charset: 'UTF-8',
  formats: ['markdown', 'links', 'metadata'],
  mainContent: true,
};

/** Repetitions: V8 does not optimize functions called once or twice. */
export const WARM_UP_READINGS = 8;

function renderPage(sections: number): string {
  const section = (number: number) => `
    <section id="s${number}"><h2 class="title">Section ${number}: what it is about</h2>
      <p>A paragraph of some length, with <em>stress</em>, <code>code</code> and <a href="/docs/s${number}.html">a link</a>; it goes on
        for a while, because text that is to be read mostly does. It ends with a full stop.</p>
      <ul><li>One thing, and <a href="#s1">another link</a></li><li>Another thing<ol><li>inside of it</li></ol></li></ul>
      <table><thead><tr><th>Name</th><th>Value</th></tr></thead>
        <tbody><tr><td>first</td><td>1 &amp; 2</td></tr><tr><td>second</td><td>$ 3.50</td></tr></tbody></table>
      <pre class="programlisting"><code>SELECT ${number} &lt; 2;</code></pre>
      <blockquote><p>Somebody said this, and it was written down.</p></blockquote>
      <dl><dt>Term</dt><dd><p>What it means, said in a sentence.</p></dd></dl>
      <figure><img src="/pictures/${number}.png" alt="A picture" width="20"><figcaption>What it shows</figcaption></figure>
    </section>`;
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>An article | First example</title>
    <meta name="description" content="What it is about."><meta property="og:title" content="An article">
    <meta property="og:type" content="article"><meta property="article:published_time" content="2024-01-02T03:04:05Z">
    <link rel="canonical" href="/docs/article.html"><link rel="alternate" type="application/rss+xml" href="/feed.xml">
    <script type="application/ld+json">{"@context":"https://schema.org","@type":"Article","headline":"An article",
      "datePublished":"2024-01-02","author":{"@type":"Person","name":"A. Writer"}}</script><style>p { margin: 0 }</style></head>
    <body><header class="site-header"><a href="/">First example</a><nav><ul><li><a href="/a">One</a></li><li><a href="/b">Two</a></li>
      <li><a href="/c">Three</a></li></ul></nav></header>
    <main><article><h1>An article</h1><p class="byline">By <span rel="author">A. Writer</span>, <time datetime="2024-01-02">2 January 2024</time></p>
      ${Array.from({ length: sections }, (_, number) => section(number)).join('')}</article></main>
    <aside><h3>Related</h3><a href="/d">Another article</a></aside>
    <footer><p>© First example. <a href="/privacy">Privacy policy</a></p></footer></body></html>`;
}
