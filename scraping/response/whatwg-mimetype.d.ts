declare module 'whatwg-mimetype' {
  export class MIMEType {
    /** Null for what is no MIME type. */
    static parse(text: string): MIMEType | null;
    /** Such as `text/html`, in lower case. */
    readonly essence: string;
    readonly parameters: ReadonlyMap<string, string>;
  }
  /**
   * The standard's "computed MIME type".
   * @param options.contentTypeHeader undefined: there is none
   */
  export function computedMIMEType(
    resource: Uint8Array,
    options: { contentTypeHeader?: string | undefined; noSniff?: boolean },
  ): MIMEType;
}
