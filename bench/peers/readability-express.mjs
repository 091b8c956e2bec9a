import { Readability } from '@mozilla/readability';
import express from 'express';
import { JSDOM } from 'jsdom';
import TurndownService from 'turndown';
import { Agent, request } from 'undici';

// What one writes by hand for one page in one call: fetch, Readability, turndown, in a bare Express. No key, no queue,
// no robots.txt, no guard against private addresses, nothing stored.
const dispatcher = new Agent({ connections: 8 });
const turndown = new TurndownService();
const app = express();
app.use(express.json());
app.post('/scrape', async (asked, response) => {
  const { url } = asked.body;
  const { body } = await request(url, { dispatcher });
  const { document } = new JSDOM(await body.text(), { url }).window;
  const links = [...document.querySelectorAll('a[href]')].map(({ href }) => href);
  const article = new Readability(document).parse();
  response.json({ url, title: article?.title, markdown: turndown.turndown(article?.content ?? ''), links });
});
const server = app.listen(0, '127.0.0.1', () => {
  process.send({ type: 'ready', url: `http://127.0.0.1:${server.address().port}` });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
