import { createCookies } from './cookies.ts';

describe('the cookies of a job', () => {
  it('are sent to their origin only', () => {
    const cookies = createCookies();
    cookies.store('https://shop.example.com/cart/', [
      'own=1',
      'wide=2; Domain=example.com; Path=/',
      'safe=3; Secure; Path=/',
    ]);
    expect(cookies.headerFor('https://shop.example.com/cart/2')).toBe('own=1; wide=2; safe=3');
    expect(cookies.headerFor('https://www.example.com/')).toBe('wide=2');
    expect(cookies.headerFor('http://shop.example.com/')).toBe('wide=2');
    expect(cookies.headerFor('https://example.org/')).toBe('');
  });

  it('cannot be set for a public suffix', () => {
    const cookies = createCookies();
    cookies.store('https://a.co.uk/', ['all=1; Domain=co.uk', 'broken']);
    expect(cookies.headerFor('https://b.co.uk/')).toBe('');
  });

  it('given with the job are set for the site they name, else for the sites of its URLs', () => {
    const cookies = createCookies(
      [
        { name: 'named', value: '1', domain: '.example.com' },
        { name: 'all', value: '2' },
        { name: 'one', value: '3', url: 'https://b.example/x' },
      ],
      ['https://a.example/1', 'https://a.example/2', 'https://b.example/'],
    );
    expect(cookies.headerFor('https://www.example.com/')).toBe('named=1');
    expect(cookies.headerFor('https://a.example/deep/')).toBe('all=2');
    expect(cookies.headerFor('https://b.example/')).toBe('all=2; one=3');
  });
});
