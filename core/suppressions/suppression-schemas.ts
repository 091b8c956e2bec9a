import { z } from 'zod';
import { queryInt, string, text } from '../schema-primitives.ts';
import { domainIdentity, emailIdentity, personIdentity, phoneIdentity } from './identity.ts';

/** Requests that erase somebody, and those about what is suppressed. */

const normalisable = (max: number, is: (value: string) => unknown, expected: string) =>
  text(max).refine((value) => is(value) !== null, expected);

/** By one or several of these; with `name`, `domain` is where that person is. */
const target = {
  email: normalisable(320, emailIdentity, 'expected an e-mail address').optional(),
  phone: normalisable(
    64,
    phoneIdentity,
    'expected a phone number such as +49 30 12345678, with at least six digits',
  ).optional(),
  domain: normalisable(253, domainIdentity, 'expected a domain such as example.com').optional(),
  name: text(200).optional(),
};

const isComplete = ({ email, phone, domain, name }: Record<keyof typeof target, string | undefined>) =>
  [email, phone, domain, name].some((value) => value !== undefined);
const NOTHING = 'expected at least one of email, phone, domain, or name with domain';
const isPlaced = ({ name, domain }: { name?: string | undefined; domain?: string | undefined }) =>
  name === undefined || personIdentity(name, domain ?? '') !== null;
const NAMELESS = {
  path: ['name'],
  error: 'expected a name with letters, and the domain where the person is',
};

const reason = text(500).optional();

/** Body of `POST /leads/erase`. */
export const eraseRequest = z
  .strictObject({
    ...target,
    reason,
    /** Also remove pages that mention it. */
    pages: z.boolean().default(false),
    dry_run: z.boolean().default(false),
  })
  .refine(
    (body) => isComplete({ email: undefined, phone: undefined, domain: undefined, name: undefined, ...body }),
    NOTHING,
  )
  .refine(isPlaced, NAMELESS);

/** Body of `POST /suppressions`. */
export const suppressRequest = z
  .strictObject({ ...target, reason })
  .refine(
    (body) => isComplete({ email: undefined, phone: undefined, domain: undefined, name: undefined, ...body }),
    NOTHING,
  )
  .refine(isPlaced, NAMELESS);

export const listSuppressionsQuery = z.strictObject({
  limit: queryInt(1, 200).default(50),
  cursor: string(500).optional(),
});
