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
/** Of a server that took a mail and thinks about it: whoever hangs up too early sends it twice. */
const SILENCE_MS = 40_000;

/**
 * Mail over the operator's server. A mail is one message, however many notifications it holds, and has one `Message-ID` through
 * every repeat: if this process dies between the server's "250" and our writing it down, or the connection breaks before that "250"
 * reaches us, the copy that follows has the same id, by which mail systems drop it. SMTP leaves no way to ask.
 */
export function createEmailChannel(options: {
  config: NotifyConfig & { smtpUrl: string };
  publicUrl: string;
  jobUrls: JobUrls;
  unsubscribeKey: string;
}): Channel {
  const { config, publicUrl, jobUrls } = options;
  const { hostname } = new URL(publicUrl);
  // An address of numbers is no domain of a mail, and servers refuse a sender at one.
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
    // Nothing we send comes from a file or a URL.
    disableFileAccess: true,
    disableUrlAccess: true,
  } as SMTPPool.Options);

  const send = async (parcel: Parameters<Channel['send']>[0], signal: AbortSignal): Promise<SendOutcome> => {
    const [first] = parcel;
    const token = unsubscribeToken({ userId: first.userId, address: first.target }, options.unsubscribeKey);
    const unsubscribeUrl = `${publicUrl}/unsubscribe/${token}`;
    const urls = await jobUrls([...new Set(parcel.flatMap(({ jobId }) => jobId ?? []))]);
    const mail = composeMail(parcel, { urls, unsubscribeUrl });
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
        'X-LeadEngine-Notifications': String(parcel.length),
      },
    });
    try {
      const done = await untilAborted(sending, signal);
      return { kind: 'delivered', receipt: receiptOf(done as SmtpAnswer) };
    } catch (error) {
      return outcomeOf(error as SmtpError);
    }
  };

  return {
    name: 'email',
    maxAttempts: config.attempts,
    retry: config.retry,
    concurrency: 1,
    leases: 4,
    circuitKey: () => 'smtp',
    send,
    stop: () => transport.close(),
  };
}

/** Where there is no `SMTP_URL`: what was queued while there was one waits its attempts out and is then a dead letter that says why. */
export const createNoEmailChannel = (config: NotifyConfig): Channel => ({
  name: 'email',
  maxAttempts: config.attempts,
  retry: config.retry,
  concurrency: 1,
  leases: 4,
  circuitKey: () => 'smtp',
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

/** A 5xx about this recipient or message is final; one about our credentials is the operator's to mend, and then it goes on. */
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

/** nodemailer has no way to break a mail off; its own time limits end one that hangs. */
async function untilAborted<T>(sending: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_resolve, reject) => {
    const end = () => reject(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  aborted.catch(() => {});
  return withTimeout(Promise.race([sending, aborted]), 60_000, () => new Error('no answer in time'));
}
