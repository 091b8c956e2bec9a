import { escapeHtml } from '../../core/escape-html.ts';
import { type Wording, wordingOf } from '../../core/notifications/notification.ts';
import type { ClaimedDelivery } from '../../db/notifications/deliveries/claim.ts';

export interface Mail {
  subject: string;
  text: string;
  html: string;
}

interface Item extends Wording {
  url: string | null;
}

/**
 * Composes a mail of one or more notifications, as text and HTML.
 * @param links `urls`: the link of each job, by id
 */
export function composeMail(
  deliveries: ClaimedDelivery[],
  links: { urls: ReadonlyMap<string, string>; unsubscribeUrl: string },
): Mail {
  const items: Item[] = deliveries.map(({ type, data, jobId }) => ({
    ...wordingOf(type, data),
    url: (jobId && links.urls.get(jobId)) || null,
  }));
  const [first] = items;
  const subject = items.length === 1 && first ? first.title : digestSubject(deliveries);
  const { unsubscribeUrl } = links;
  return {
    subject,
    text: `${items.map(textOf).join('\n\n')}\n\n-- \nNo more of these mails: ${unsubscribeUrl}\n`,
    html: page(subject, `${items.map(htmlOf).join('\n')}\n${footer(unsubscribeUrl)}`),
  };
}

/** `12 jobs: 2 failed, 10 completed`. */
function digestSubject(deliveries: ClaimedDelivery[]): string {
  const counts = new Map<string, number>();
  for (const { type } of deliveries) {
    const what = type.slice(type.indexOf('.') + 1).replaceAll('_', ' ');
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const parts = [...counts].map(([what, count]) => `${count} ${what}`);
  return `${deliveries.length} notifications: ${parts.join(', ')}`;
}

const textOf = ({ title, text, url }: Item): string => [title, text, url].filter(Boolean).join('\n');

const htmlOf = ({ title, text, url }: Item): string => {
  const heading = url ? `<a href="${escapeHtml(url)}">${escapeHtml(title)}</a>` : escapeHtml(title);
  return `<p><strong>${heading}</strong><br>${escapeHtml(text)}</p>`;
};

const footer = (url: string) =>
  `<p style="color:#666;font-size:smaller"><a href="${escapeHtml(url)}">No more of these mails</a></p>`;

const page = (title: string, body: string): string => `<!doctype html>
<html><head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head>
<body style="font-family:sans-serif;line-height:1.4">
${body}
</body></html>
`;
