import { isIP } from 'node:net';
import { createTransport } from 'nodemailer';
import type SMTPPool from 'nodemailer/lib/smtp-pool/index.js';
import type { Receipt, SendOutcome } from '../../../core/notifications/delivery.ts';
import { unsubscribeToken } from '../../../core/notifications/unsubscribe-token.ts';
import type { NotifyConfig } from '../../../runtime/settings/config.ts';
import { withTimeout } from '../../../runtime/timeout.ts';
import { type Channel, NO_RECEIPT, refused, retry } from '../channel.ts';
import type { JobUrls } from '../job-urls.ts';
import { composeMail } from '../mail.ts';

const CONNECT_MS = 5000;
/** For a server's answer to a mail: closing the connection too early sends the mail twice. */
const SILENCE_MS = 40_000;

/**
 * Mail over the operator's server. A mail is one message, however many notifications it holds, and
 * keeps one `Message-ID` through every attempt: if this process dies between the server's "250" and
 * its settlement, or the connection breaks before that "250" arrives, the copy has the same id, by
 * which mail systems drop it. SMTP has no way to ask whether a mail arrived.
 */
export function createEmailChannel(options: {
  config: NotifyConfig & { smtpUrl: string };
  publicUrl: string;
  jobUrls: JobUrls;
  unsubscribeKey: string;
}): Channel {
  const { config, publicUrl, jobUrls } = options;
  const { hostname } = new URL(publicUrl);
  // An IP address is not a mail domain, and servers refuse a sender at one.
  const domain = /^[a-z0-9.-]+$/i.test(hostname) && !isIP(hostname) ? hostname : 'leadengine.invalid';
  const from = config.smtpFrom ?? `LeadEngine <no-reply@${domain}>`;
  const transport = createTransport({
    url: config.smtpUrl,
    pool: true,
    maxConnections: 1,
    maxMessages: 100,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    // No content comes from a file or a URL.
    disableFileAccess: true,
    disableUrlAccess: true,
  } as SMTPPool.Options);

  const send = async (batch: Parameters<Channel['send']>[0], signal: AbortSignal): Promise<SendOutcome> => {
    const [first] = batch;
    const token = unsubscribeToken({ userId: first.userId, address: first.target }, options.unsubscribeKey);
    const unsubscribeUrl = `${publicUrl}/unsubscribe/${token}`;
    const urls = await jobUrls([...new Set(batch.flatMap(({ jobId }) => jobId ?? []))]);
    const mail = composeMail(batch, { urls, unsubscribeUrl });
    const sending = transport.sendMail({
      ...mail,
      from,
      to: { name: '', address: first.target },
      messageId: `<${first.mailId ?? first.id}@${domain}>`,
      date: first.occurredAt,
      headers: {
        'List-Unsubscribe': `<${unsubscribeUrl}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        'Auto-Submitted': 'auto-generated',
        'X-LeadEngine-Notifications': String(batch.length),
      },
    });
    try {
      const done = await untilAborted(sending, signal);
      return { kind: 'delivered', receipt: receiptOf(done as SmtpAnswer) };
    } catch (error) {
      return outcomeOf(error as SmtpError);
    }
  };

  return { ...emailChannel(config), send, stop: () => transport.close() };
}

const emailChannel = ({ attempts, retry }: NotifyConfig): Omit<Channel, 'send'> => ({
  name: 'email',
  maxAttempts: attempts,
  retry,
  concurrency: 1,
  leases: 4,
  circuitKey: () => 'smtp',
});

/**
 * Without `SMTP_URL`: mails queued while it was set use up their attempts, then are dead-lettered.
 */
export const createNoEmailChannel = (config: NotifyConfig): Channel => ({
  ...emailChannel(config),
  send: async () => retry({ code: 'email_not_configured', message: 'this installation has no SMTP_URL' }),
});

interface SmtpAnswer {
  response?: string;
}

interface SmtpError extends Error {
  code?: string;
  responseCode?: number;
  response?: string;
}

const receiptOf = ({ response = '' }: SmtpAnswer): Receipt => ({
  status: Number(/^\d{3}/.exec(response)?.[0] ?? 0) || null,
  body: response.slice(0, 1024),
});

/**
 * A 5xx about this recipient or message is final; after one about our credentials the mail is
 * retried, until the operator corrects them.
 */
function outcomeOf(failure: SmtpError): SendOutcome {
  const { code = 'ESOCKET', responseCode, response } = failure;
  const receipt = response ? { status: responseCode ?? null, body: response.slice(0, 1024) } : NO_RECEIPT;
  const isAboutThisMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  if (isAboutThisMail && responseCode !== undefined && responseCode >= 500) {
    return refused({ code: 'mail_refused', message: response ?? failure.message }, receipt);
  }
  if (code === 'EENVELOPE' && responseCode === undefined) {
    return refused({ code: 'mail_refused', message: failure.message }, receipt);
  }
  const named = code === 'EAUTH' ? 'smtp_login_refused' : responseCode ? 'smtp_error' : 'smtp_unreachable';
  return retry({ code: named, message: failure.message }, receipt);
}

/** nodemailer cannot abort a mail; its own timeouts end one that hangs. */
async function untilAborted<T>(sending: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_resolve, reject) => {
    const end = () => reject(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  aborted.catch(() => {});
  return withTimeout(Promise.race([sending, aborted]), 60_000, () => new Error('no answer in time'));
}
