import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail extends Email {
  to_address: string;
  raw: string;
  /** By this process's clock, in ms. */
  at: number;
}

/** A real SMTP server that stores what it accepts. */
export interface Mailbox {
  url: string;
  mails: ReceivedMail[];
  /** From now on answers RCPT or DATA with this code; null: accepts everything. */
  refuse(at: 'rcpt' | 'data' | null, code?: number): void;
  /** From now on decides every mail before it is answered: a code rejects it, null accepts it. */
  judge(how: (mail: ReceivedMail) => number | null): void;
  close(): Promise<void>;
}

export async function startMailbox(): Promise<Mailbox> {
  const mails: ReceivedMail[] = [];
  let refusal: { at: 'rcpt' | 'data' | null; code: number } = { at: null, code: 550 };
  let judgement: (mail: ReceivedMail) => number | null = () => null;
  const refused = (code = refusal.code) => Object.assign(new Error('not taken'), { responseCode: code });
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    onRcptTo: (_address, _session, done) => done(refusal.at === 'rcpt' ? refused() : null),
    onData: async (stream, session, done) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of stream) chunks.push(chunk as Buffer);
      } catch (error) {
        // The sender was killed in the middle: half a mail does not count.
        return done(error as Error);
      }
      if (refusal.at === 'data') return done(refused());
      const raw = Buffer.concat(chunks).toString();
      const [recipient] = session.envelope.rcptTo;
      const to_address = recipient?.address ?? '';
      const mail = { ...(await PostalMime.parse(raw)), to_address, raw, at: Date.now() };
      const code = judgement(mail);
      if (code !== null) return done(refused(code));
      mails.push(mail);
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
    judge: (how) => {
      judgement = how;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
