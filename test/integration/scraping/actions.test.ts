import type { Action } from '../../../core/jobs/job-schemas.ts';
import { useSite } from '../../fixtures/site/use-site.ts';
import { pngSize } from '../../support/png.ts';

const fixture = useSite();
const { at } = fixture;

describe('actions', () => {
  it('run in order before extraction', async () => {
    const { page, artifacts } = await fixture.scraper.scrape(at('/form.html'), {
      formats: ['text'],
      actions: [
        { type: 'type', selector: '#q', text: 'lock keeper' },
        { type: 'press', selector: '#q', key: 'Enter' },
        { type: 'click', selector: '#go' },
        { type: 'wait', selector: '#answer' },
        { type: 'scroll', direction: 'down', amount: 600 },
        { type: 'wait', selector: '#scrolled' },
        { type: 'screenshot' },
      ],
    });
    expect(page.error).toBeNull();
    expect(page.text).toContain('entered');
    expect(page.text).toContain('asked lock keeper');
    expect(page.text).toContain('scrolled');
    expect(artifacts).toEqual([
      expect.objectContaining({ kind: 'action_screenshot', contentType: 'image/png' }),
    ]);
    expect(pngSize(artifacts[0]?.body)).toEqual({ width: 1280, height: 800 });
  });

  it.each<[string, Action[], string[]]>([
    [
      'select chooses an option by its value',
      [{ type: 'select', selector: '#town', value: 'leeds' }],
      ['input leeds', 'chose leeds'],
    ],
    [
      'select chooses an option by what it says',
      [{ type: 'select', selector: '#town', value: 'Ghent' }],
      ['chose ghent'],
    ],
    ['hover moves the mouse over an element', [{ type: 'hover', selector: '#offers' }], ['offers open']],
    [
      'wait lets the page have so long',
      [
        { type: 'click', selector: '#offers' },
        { type: 'wait', ms: 1500 },
        { type: 'press', key: 'a' },
      ],
      ['offers open', 'answered', 'key a'],
    ],
    ['press without an element goes to the page', [{ type: 'press', key: 'PageDown' }], ['key PageDown']],
    [
      'scroll scrolls an element by an amount',
      [{ type: 'scroll', selector: '#box', amount: 120 }],
      ['box at 120'],
    ],
    ['scroll brings an element into view', [{ type: 'scroll', selector: '#end' }], ['page at its end']],
    [
      'scroll goes up as well as down',
      [
        { type: 'scroll', amount: 500 },
        { type: 'wait', selector: '#out p' },
        { type: 'scroll', direction: 'up', amount: 500 },
      ],
      ['page at 500', 'page at its top'],
    ],
  ])('%s', async (_name, actions, told) => {
    const { page } = await fixture.scraper.scrape(at('/menu.html'), {
      actions,
      extract: { told: { selector: '#out p', many: true } },
    });
    expect(page.error).toBeNull();
    // In this order; a key scrolls in steps, which are reported too.
    expect((page.extracted?.told as string[] | undefined)?.filter((each) => told.includes(each))).toEqual(
      told,
    );
  });

  it('a screenshot may be of the whole page', async () => {
    const { artifacts } = await fixture.scraper.scrape(at('/menu.html'), {
      actions: [{ type: 'screenshot', full_page: true }],
    });
    expect(pngSize(artifacts[0]?.body).height).toBeGreaterThan(4000);
  });

  it.each<[string, Action]>([
    ['an option that is not there', { type: 'select', selector: '#town', value: 'atlantis' }],
    ['nothing to hover over', { type: 'hover', selector: '#nothing' }],
    ['a key that no keyboard has', { type: 'press', key: 'Anykey' }],
  ])('fail for %s', async (_name, action) => {
    const { page } = await fixture.scraper.scrape(at('/menu.html'), { actions: [action], timeout_ms: 6000 });
    expect(page.error).toEqual({
      code: 'action_failed',
      message: expect.stringContaining(`action 0 (${action.type}): `),
    });
  });

  it.each([
    ['an element that is not there', '#nothing'],
    ['a selector that is not CSS', 'p[['],
  ])('fail the page with their index for %s, and keep its content', async (_name, selector) => {
    const { page } = await fixture.scraper.scrape(at('/form.html'), {
      formats: ['text'],
      actions: [
        { type: 'wait', ms: 1 },
        { type: 'click', selector },
      ],
      timeout_ms: 3000,
    });
    expect(page.error).toEqual({
      code: 'action_failed',
      message: expect.stringMatching(/^action 1 \(click\): /),
    });
    expect(page.text).toContain('end');
  });

  it('may lead to another page', async () => {
    const { page } = await fixture.scraper.scrape(at('/shadow.html'), {
      actions: [{ type: 'click', selector: 'price-card a' }],
    });
    expect(page).toMatchObject({
      final_url: at('/tickets'),
      status_code: 404,
      title: 'Not found',
      error: { code: 'http_client_error' },
    });
  });

  it.each<[string, string[], string, string]>([
    ['a link into a new window', ['#blank'], '/article.html?blank', 'article'],
    ['a link into a named window', ['#named'], '/article.html?named', 'article'],
    ['window.open', ['#open'], '/article.html?open', 'article'],
    ['window.open a moment later', ['#later'], '/article.html?later', 'article'],
    ['a form into a new window', ['#post'], '/posted', 'POST q=lock'],
    ['a form that a script submits', ['#submit'], '/posted', 'POST q=lock'],
    ['its own navigation before a window', ['#both'], '/article.html?own', 'article'],
    ['a link from a page that asks to stay', ['#guard', '#away'], '/article.html?away', 'article'],
  ])('follow in the same tab: %s', async (_name, clicked, path, says) => {
    const { page } = await fixture.scraper.scrape(at('/windows.html'), {
      formats: ['text'],
      actions: clicked.map((selector) => ({ type: 'click' as const, selector })),
    });
    expect(page.error).toBeNull();
    expect(page.final_url).toBe(at(path));
    if (says !== 'article') expect(page.text).toContain(says);
  });

  it.each([
    ['#file', 'action_download', 'action 0 (click): it downloads a file (a.zip), which is not a page'],
    ['#fileLater', 'action_download', 'action 0 (click): it downloads a file (a.zip), which is not a page'],
    ['#blob', 'action_download', 'action 0 (click): it downloads a file (rows.csv), which is not a page'],
    [
      '#empty',
      'action_new_window',
      'action 0 (click): it opens a window (about:blank) that cannot be followed',
    ],
  ])('that lead to no page fail it, and keep the page before: %s', async (selector, code, message) => {
    const { page } = await fixture.scraper.scrape(at('/windows.html'), {
      formats: ['text'],
      actions: [{ type: 'click', selector }],
    });
    expect(page.error).toEqual({ code, message });
    expect(page.text).toContain('Windows');
  });
});
