/** The job every figure is measured with: a plain request as users send it. */
export const JOB = {
  urls: ['https://example.com/catalogue/page-1.html'],
  formats: ['markdown', 'links'],
  metadata: { reference: 'bench' },
} as const;

/** The benches' first admin. */
export const API_KEY = 'le_bench_key_for_loopback_only';
