declare module '@mixmark-io/domino' {
  /** @param force true: create missing `html`, `head` and `body`, as a browser does */
  export function createDocument(html: string, force?: boolean): Document;
}
