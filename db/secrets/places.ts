/** What each sealed value is bound to: its table, column and row. */
export const place = {
  job: (id: string) => `jobs.secrets:${id}`,
  /** Of a receiver's current and previous secret: a rotation moves it. */
  webhookSecret: (id: string) => `webhooks.secret:${id}`,
  webhookLogin: (id: string) => `webhooks.login:${id}`,
  schedule: (id: string) => `schedules.secrets:${id}`,
  subscription: (id: string) => `subscriptions.secrets:${id}`,
  installation: (name: string) => `installation_secrets.value:${name}`,
};
