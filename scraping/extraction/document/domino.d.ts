declare module '@mixmark-io/domino' {
  /** @param force true: missing `html`, `head` and `body` are made, as a browser does */
  export function createDocument(html: string, force?: boolean): Document;
}
