import type { CallOptions, CreateOptions, Transport } from './transport.ts';
import type { Webhook } from './types.ts';

const PATH = '/api/v1/webhooks';
const pathOf = (id: string) => `${PATH}/${encodeURIComponent(id)}`;

/** Receivers of signed messages; `verifyWebhook` checks what they receive. */
export class Webhooks {
  constructor(private readonly transport: Transport) {}

  /** The endpoint with its `secret`. @throws ApiError `webhook_exists` */
  create(
    webhook: { url: string; description?: string },
    options: CreateOptions = {},
  ): Promise<Webhook & { secret: string }> {
    return this.transport.json(PATH, { ...options, method: 'POST', body: webhook });
  }

  async list(options: CallOptions = {}): Promise<Webhook[]> {
    return (await this.transport.json<{ webhooks: Webhook[] }>(PATH, options)).webhooks;
  }

  get(id: string, options: CallOptions = {}): Promise<Webhook> {
    return this.transport.json(pathOf(id), options);
  }

  update(
    id: string,
    change: { description?: string; paused?: boolean },
    options: CallOptions = {},
  ): Promise<Webhook> {
    return this.transport.json(pathOf(id), { ...options, method: 'PATCH', body: change });
  }

  delete(id: string, options: CallOptions = {}): Promise<void> {
    return this.transport.json(pathOf(id), { ...options, method: 'DELETE' });
  }

  /** What signs now. */
  async secret(id: string, options: CallOptions = {}): Promise<string> {
    return (await this.transport.json<{ secret: string }>(`${pathOf(id)}/secret`, options)).secret;
  }
}
