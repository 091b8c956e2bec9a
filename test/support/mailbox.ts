import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail extends Email {
  to_address: string;
  raw: string;
}

/** A real SMTP server that keeps what it takes. */
export interface Mailbox {
  url: string;
  mails: ReceivedMail[];
  /** Answers RCPT or DATA with this code from now on; null: takes everything. */
  refuse(at: 'rcpt' | 'data' | null, code?: number): void;
  close(): Promise<void>;
}

export async function startMailbox(): Promise<Mailbox> {
  const mails: ReceivedMail[] = [];
  let refusal: { at: 'rcpt' | 'data' | null; code: number } = { at: null, code: 550 };
  const refused = () => Object.assign(new Error('not taken'), { responseCode: refusal.code });
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    onRcptTo: (_address, _session, done) => done(refusal.at === 'rcpt' ? refused() : null),
    onData: async (stream, session, done) => {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      if (refusal.at === 'data') return done(refused());
      const raw = Buffer.concat(chunks).toString();
      const [recipient] = session.envelope.rcptTo;
      mails.push({ ...(await PostalMime.parse(raw)), to_address: recipient?.address ?? '', raw });
      return done();
    },
  });
  server.on('error', () => {});
  const { port } = await new Promise<AddressInfo>((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => resolve(listening.address() as AddressInfo));
  });
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    refuse: (at, code = 550) => {
      refusal = { at, code };
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
