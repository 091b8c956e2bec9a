/** Whether a URL has the page's origin, or its host over https on the default port. */
export function isOwnOrigin(url: string, pageUrl: string): boolean {
  if (!URL.canParse(url)) return false;
  const [asked, page] = [new URL(url), new URL(pageUrl)];
  if (asked.origin === page.origin) return true;
  return (
    asked.protocol === 'https:' && asked.hostname === page.hostname && asked.port === '' && page.port === ''
  );
}
