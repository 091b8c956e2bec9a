import { describe, expect, it } from '@jest/globals';
import { extract } from '../extract.ts';

const TEXT = 'The lock keeper opens the gates at dawn and closes them at dusk. '.repeat(5).trim();
const DIALOG =
  '<div role="dialog" aria-modal="true"><h2>Cookies</h2><p>We use cookies. Accept them?</p></div>';

const read = (body: string, mainContent: boolean) =>
  extract({
    ...{
      html: `<!doctype html><title>Locks</title>${body}`,
      url: 'https://site.example/',
      title: null,
      charset: 'utf-8',
    },
    ...{ formats: ['text'], mainContent },
  }).text ?? '';

describe.each([true, false])('the page behind a dialog, with main_content: %p', (mainContent) => {
  it.each([
    [
      'aria-hidden on its root',
      `<div id="root" aria-hidden="true"><main><h1>Locks</h1><p>${TEXT}</p></main></div>${DIALOG}`,
    ],
    ['inert on its root', `<div id="root" inert><main><h1>Locks</h1><p>${TEXT}</p></main></div>${DIALOG}`],
    [
      'on each part',
      `<header aria-hidden="true">Site</header><main aria-hidden="true"><h1>Locks</h1><p>${TEXT}</p></main><footer aria-hidden="true">End</footer>${DIALOG}`,
    ],
    [
      "around the dialog's own container",
      `<div><main aria-hidden="true"><h1>Locks</h1><p>${TEXT}</p></main><div class="portal">${DIALOG}</div></div>`,
    ],
    [
      'one in another',
      `<div aria-hidden="true"><div aria-hidden="true"><h1>Locks</h1><p>${TEXT}</p></div></div>${DIALOG}`,
    ],
    [
      'before the dialog is in the document',
      `<div id="root" aria-hidden="true"><h1>Locks</h1><p>${TEXT}</p></div>`,
    ],
    [
      'with an open dialog element',
      `<main aria-hidden="true"><h1>Locks</h1><p>${TEXT}</p></main><dialog open>Newsletter</dialog>`,
    ],
    ['on the body', `<body aria-hidden="true"><h1>Locks</h1><p>${TEXT}</p>`],
    ['a root that a script shows', `<div id="root" style="display:none"><h1>Locks</h1><p>${TEXT}</p></div>`],
    ['a hidden root', `<div hidden><h1>Locks</h1><p>${TEXT}</p></div>`],
  ])('%s', (_name, body) => {
    expect(read(body, mainContent)).toContain(TEXT);
  });

  it.each([
    ['icons and labels', `<h1>Locks</h1><p>${TEXT}<i aria-hidden="true">chevron_right</i></p>`],
    [
      'a menu beside a cookie dialog',
      `<h1>Locks</h1><p>${TEXT}</p><p>${TEXT}</p><nav aria-hidden="true"><a>chevron_right</a> ${'item '.repeat(50)}</nav>${DIALOG}`,
    ],
    ['a hidden copy', `<h1>Locks</h1><p>${TEXT}</p><div style="display:none">chevron_right</div>`],
    [
      'a hidden dialog',
      `<h1>Locks</h1><p>${TEXT}</p><div aria-hidden="true"><div role="dialog">chevron_right</div></div>`,
    ],
  ])('but not %s', (_name, body) => {
    expect(read(body, mainContent)).toContain(TEXT);
    expect(read(body, mainContent)).not.toContain('chevron_right');
  });
});
