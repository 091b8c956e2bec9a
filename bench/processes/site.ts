import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A small site: pages of some 20 KB with a style sheet, a script and two pictures, like a shop's
 * catalogue.
 */
const words = 'harbour lantern orchard copper violet marble winter candle meadow granite silver maple'.split(
  ' ',
);
const sentence = (seed: number): string =>
  `${Array.from({ length: 14 }, (_, index) => words[(seed * 7 + index * 5) % words.length]).join(' ')}.`;

const page = (number: number): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Catalogue page ${number}</title>
<meta name="description" content="${sentence(number)}"><link rel="stylesheet" href="/style.css"><script src="/site.js" defer></script></head>
<body><header><nav>${Array.from({ length: 12 }, (_, index) => `<a href="/page/${index}">Section ${index}</a>`).join(' ')}</nav></header>
<main><h1>Catalogue page ${number}</h1><img src="/a.svg" alt="first"><img src="/b.svg" alt="second">
${Array.from({ length: 12 }, (_, index) => `<article><h2>Item ${number}-${index}</h2><p>${sentence(index)} ${sentence(number + index)} ${sentence(number * index)}</p><p>${sentence(index + 3)} ${sentence(index + 9)}</p><p class="price">${(number * 13 + index * 7) % 500} EUR</p><a href="/page/${number + index}">more</a></article>`).join('\n')}
</main><footer>Mail <a href="mailto:shop@example.com">shop@example.com</a></footer></body></html>`;

const FILES: Record<string, [type: string, body: string]> = {
  '/style.css': [
    'text/css',
    'body{font:16px sans-serif;margin:2em}article{border-top:1px solid #ccc}.price{color:#600}',
  ],
  '/site.js': [
    'text/javascript',
    "for (const p of document.querySelectorAll('.price')) p.dataset.seen = 'yes';",
  ],
  '/a.svg': [
    'image/svg+xml',
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><circle cx="45" cy="45" r="40"/></svg>',
  ],
  '/b.svg': [
    'image/svg+xml',
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><rect width="80" height="80"/></svg>',
  ],
};

const server = createServer((request, response) => {
  const path = request.url ?? '/';
  const number = /^\/page\/(\d+)$/.exec(path)?.[1];
  const [type, body] = number
    ? ['text/html; charset=utf-8', page(Number(number))]
    : (FILES[path] ?? ['', '']);
  response.writeHead(type ? 200 : 404, { 'content-type': type || 'text/plain' }).end(body);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ type: 'ready', url: `http://127.0.0.1:${port}` });
});
process.on('SIGTERM', () => process.exit(0));
